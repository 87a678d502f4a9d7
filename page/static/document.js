// The documents' pane: finds characters in the blocks of a document, marks them and scrolls to them. A text
// range is [number of the document, number of the block, start, end], the offsets within the block's text.
const documentPane = (() => {
  "use strict";
  const MAX_CORRECTIONS = 8;
  const FAR = 3; // in heights of the pane
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");
  const jumps = new WeakMap(); // how many a container has made, so that a newer one ends those before

  const sheet = (number) => document.getElementById(`sheet-${number}`);
  const scrollBehavior = () => (reduced.matches ? "instant" : "smooth");

  // Wraps the text of each range in an element of this tag and class, and returns these elements.
  function wrap(ranges, tag, name) {
    const elements = [];
    for (const [number, blockNumber, start, end] of ranges) {
      const block = sheet(number)?.querySelector(`[data-number="${blockNumber}"]`);
      if (!block) continue;
      const nodes = [];
      const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) nodes.push(walker.currentNode);
      let offset = 0;
      for (const node of nodes) {
        const from = Math.max(start - offset, 0);
        const to = Math.min(end - offset, node.length);
        offset += node.length;
        // An element around the white space between two cells would become another cell.
        if (from >= to || node.parentNode.matches("tr")) continue;
        const inside = from > 0 ? node.splitText(from) : node;
        if (to - from < inside.length) inside.splitText(to - from);
        const element = document.createElement(tag);
        element.className = name;
        inside.replaceWith(element);
        element.append(inside);
        elements.push(element);
      }
    }
    return elements;
  }

  function unwrap(selector) {
    for (const element of document.querySelectorAll(selector)) {
      const parent = element.parentNode;
      element.replaceWith(...element.childNodes);
      parent.normalize();
    }
  }

  // Outlines the closest passage, and labels it at its first element.
  function outline(elements) {
    for (const element of elements) {
      // A complete block is outlined as one box, and not line by line.
      const whole = element.textContent === element.parentNode.textContent;
      element.classList.toggle("whole", whole);
    }
    // What scrolls sideways would cut the label off.
    const frame = elements[0]?.closest("#article :is(.table, .code)");
    (frame ?? elements[0])?.classList.add("labelled");
  }

  function clear(selector) {
    unwrap(selector);
    for (const frame of document.querySelectorAll("#article .labelled")) {
      frame.classList.remove("labelled");
    }
  }

  // How far a container must scroll to have an element at a position: 0 is its top, 1 its bottom.
  function distance(container, element, position) {
    const gap = element.getBoundingClientRect().top - container.getBoundingClientRect().top;
    const wanted = container.scrollTop + gap - position * container.clientHeight;
    const last = container.scrollHeight - container.clientHeight;
    return Math.min(Math.max(wanted, 0), last) - container.scrollTop;
  }

  // Scrolls a container, and nothing around it, to an element. Chunks of a document have an estimated height
  // until they are in view, so the place is corrected until it stays, unless the reader scrolls meanwhile.
  async function scrollTo(container, element, position) {
    const jump = (jumps.get(container) ?? 0) + 1;
    jumps.set(container, jump);
    const stop = () => jumps.set(container, jump + 1);
    const goesOn = () => jumps.get(container) === jump;
    const abort = new AbortController();
    for (const type of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      container.addEventListener(type, stop, { signal: abort.signal, passive: true });
    }
    const far = Math.abs(distance(container, element, position)) > FAR * container.clientHeight;
    let behavior = far ? "instant" : scrollBehavior();
    for (let times = 0; times < MAX_CORRECTIONS && goesOn(); times++) {
      const top = distance(container, element, position);
      if (times && Math.abs(top) <= 1) break;
      const ended = behavior === "smooth" ? scrollEnd(container) : twoFrames();
      container.scrollBy({ top, behavior });
      await ended;
      behavior = "instant";
    }
    abort.abort();
    // The words may be to the side of what is in view of a wide table.
    if (goesOn()) scrollSideways(element);
  }

  function scrollSideways(element) {
    const frame = element.closest("#article :is(.scroll, pre)");
    if (!frame || frame.scrollWidth <= frame.clientWidth) return;
    const [inner, outer] = [element, frame].map((one) => one.getBoundingClientRect());
    if (inner.left >= outer.left && inner.right <= outer.right) return;
    frame.scrollLeft += inner.left - outer.left - (outer.width - Math.min(inner.width, outer.width)) / 2;
  }

  const twoFrames = () =>
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  function scrollEnd(container) {
    return new Promise((done) => {
      container.addEventListener("scrollend", done, { once: true });
      window.setTimeout(done, 1000); // where there was nothing to scroll
    });
  }

  // The list of contents scrolls to a heading, and folds up.
  document.addEventListener("click", (event) => {
    const contents = event.target.closest?.("#article .contents");
    for (const open of document.querySelectorAll("#article .contents[open]")) {
      if (open !== contents) open.open = false;
    }
    const number = event.target.closest?.(".contents button")?.dataset.block;
    if (!number) return;
    const container = contents.closest(".sheet");
    const heading = container.querySelector(`[data-number="${number}"]`);
    contents.open = false;
    scrollTo(container, heading, 0.1);
    container.focus({ preventScroll: true });
  });

  document.addEventListener("keydown", (event) => {
    const contents = event.target.closest?.("#article .contents[open]");
    if (event.key !== "Escape" || !contents) return;
    contents.open = false;
    contents.querySelector("summary").focus();
  });

  return { clear, outline, scrollBehavior, scrollTo, unwrap, wrap };
})();
