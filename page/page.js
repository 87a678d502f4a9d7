// Marks answers in the article, goes to a place when its button is clicked, and keeps the chat's
// newest turn in sight. A place is [number of the paragraph, start in it, end in it].
(() => {
  "use strict";
  const FLASH_MS = 2600;
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");
  let fading = 0;

  const sheet = () => document.querySelector("#article .sheet");
  const log = () => document.querySelector("#chat .log");
  const places = (text) => JSON.parse(text || "[]");

  // Wraps the text of each place in an element of this tag and class, and returns these elements.
  function wrap(found, tag, name) {
    const made = [];
    for (const [number, start, end] of found) {
      const paragraph = sheet()?.querySelector(`[data-number="${number}"]`);
      if (!paragraph) continue;
      const nodes = [];
      const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) nodes.push(walker.currentNode);
      let at = 0;
      for (const node of nodes) {
        const from = Math.max(start - at, 0);
        const to = Math.min(end - at, node.length);
        at += node.length;
        if (from >= to) continue;
        const inside = from > 0 ? node.splitText(from) : node;
        if (to - from < inside.length) inside.splitText(to - from);
        const element = document.createElement(tag);
        element.className = name;
        inside.replaceWith(element);
        element.append(inside);
        made.push(element);
      }
    }
    return made;
  }

  function unwrap(selector) {
    for (const element of sheet()?.querySelectorAll(selector) ?? []) {
      const parent = element.parentNode;
      element.replaceWith(...element.childNodes);
      parent.normalize();
    }
  }

  // Scrolls a box, and nothing around it, until the element stands in its upper part.
  function bring(box, element, share) {
    const gap = element.getBoundingClientRect().top - box.getBoundingClientRect().top;
    const top = box.scrollTop + gap - share * box.clientHeight;
    box.scrollTo({ top, behavior: reduced.matches ? "instant" : "smooth" });
  }

  function show(element) {
    if (element) bring(sheet(), element, 0.25);
  }

  function flash(found) {
    window.clearTimeout(fading);
    unwrap(".flash");
    const made = wrap(found, "span", "flash");
    if (!made.length) return;
    show(made[0]);
    // On a phone the article is below the chat: bring it into the window, too.
    sheet().scrollIntoView({ block: "nearest", behavior: reduced.matches ? "instant" : "smooth" });
    fading = window.setTimeout(() => unwrap(".flash"), FLASH_MS);
  }

  function clear() {
    window.clearTimeout(fading);
    unwrap(".flash, .nearest, .words, mark");
  }

  // Called when the chat has changed: marks what its newest answer cites.
  function answered() {
    const turns = log()?.querySelectorAll(".turn") ?? [];
    const newest = turns[turns.length - 1];
    if (newest) bring(log(), newest, 0.02);
    if (newest?.querySelector(".waiting")) return;
    clear();
    let first;
    for (const cited of newest?.querySelectorAll(".cited") ?? []) {
      const name = cited.closest(".others") ? "other" : "cited";
      const marks = wrap(places(cited.dataset.marks), "mark", name);
      const narrow = cited.dataset.words !== cited.dataset.marks;
      const words = narrow ? wrap(places(cited.dataset.words), "b", `words ${name}`) : marks;
      first ??= words[0] ?? marks[0];
    }
    if (first) show(first);
    const nearby = newest?.querySelector(".nearby");
    if (nearby) {
      const made = wrap(places(nearby.dataset.marks), "span", "nearest");
      for (const element of made) {
        // All of a paragraph is outlined as one box, and not line by line.
        if (element.parentNode.childNodes.length === 1) element.classList.add("whole");
      }
      made[0]?.classList.add("labelled");
      show(made[0]);
    }
  }

  // Called when another article has been opened: nothing is marked in it, and it begins at its top.
  function opened() {
    clear();
    if (sheet()) sheet().scrollTop = 0;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-places]");
    if (button) flash(places(button.dataset.places));
  });
  window.askTheArticle = { answered, opened };
})();
