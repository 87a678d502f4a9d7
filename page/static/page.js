// Marks answers in the documents, goes to a place when its button is clicked, turns from one document
// to another, and keeps the chat's newest turn in sight. A place is [number of the document, number
// of the paragraph, start in it, end in it].
(() => {
  "use strict";
  const FLASH_MS = 2600;
  const COPIED_MS = 1600;
  const OVERDUE_MS = 3000;
  const EXPORTED = "questions-and-answers.md";
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");
  let fading = 0;
  let listening = 0;
  let unheard = 0; // how much was sent since the client was last made to listen
  let shown = 0; // the number of the document in sight
  let called = ""; // what the page last called for to be in sight
  let talked = ""; // what of the chat was last looked at: how many turns, and whether one waits
  let last = ""; // the question asked last

  const log = () => document.querySelector("#chat .log");
  const overdue = () => document.getElementById("overdue");
  const box = () => document.querySelector("#question textarea");
  const sheets = () => [...document.querySelectorAll("#article .sheet")];
  const tabs = () => [...document.querySelectorAll("#documents [role=tab]")];
  const sheet = (number) => document.getElementById(`sheet-${number}`);
  const places = (text) => JSON.parse(text || "[]");
  const smooth = () => (reduced.matches ? "instant" : "smooth");

  // What a screen reader is told.
  const told = document.createElement("div");
  told.className = "unseen";
  told.setAttribute("role", "status");
  const tell = (text) => {
    if (!told.isConnected) document.querySelector(".gradio-container")?.append(told);
    told.textContent = text;
  };

  // Wraps the text of each place in an element of this tag and class, and returns these elements.
  function wrap(found, tag, name) {
    const made = [];
    for (const [number, paragraph, start, end] of found) {
      const block = sheet(number)?.querySelector(`[data-number="${paragraph}"]`);
      if (!block) continue;
      const nodes = [];
      const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
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
    for (const element of document.querySelectorAll(selector)) {
      const parent = element.parentNode;
      element.replaceWith(...element.childNodes);
      parent.normalize();
    }
  }

  // Puts a document in sight; without that one, the first.
  function turnTo(number) {
    const known = tabs();
    const found = known.find((tab) => Number(tab.dataset.index) === number) ?? known[0];
    if (!found) return;
    for (const tab of known) {
      tab.setAttribute("aria-selected", String(tab === found));
      tab.tabIndex = tab === found ? 0 : -1;
    }
    for (const one of sheets()) one.hidden = one.dataset.index !== found.dataset.index;
    const strip = found.closest(".tabs");
    const whole = found.closest(".tab");
    const gap = whole.getBoundingClientRect().left - strip.getBoundingClientRect().left;
    if (gap < 0 || gap + whole.offsetWidth > strip.clientWidth) strip.scrollLeft += gap - 24;
    return found;
  }

  // Scrolls a box, and nothing around it, until the element stands in its upper part.
  function bring(outer, element, share) {
    const gap = element.getBoundingClientRect().top - outer.getBoundingClientRect().top;
    const top = outer.scrollTop + gap - share * outer.clientHeight;
    outer.scrollTo({ top, behavior: smooth() });
  }

  // Turns to the document that an element is in, and scrolls to it there.
  function show(element) {
    const on = element?.closest(".sheet");
    if (!on) return;
    shown = Number(on.dataset.index);
    turnTo(shown);
    bring(on, element, 0.25);
  }

  function flash(found) {
    window.clearTimeout(fading);
    unwrap("#article .flash");
    const made = wrap(found, "span", "flash");
    if (!made.length) return;
    show(made[0]);
    const on = made[0].closest(".sheet");
    // On a phone the article is below the chat: bring it into the window, too.
    on.scrollIntoView({ block: "nearest", behavior: smooth() });
    on.focus({ preventScroll: true });
    fading = window.setTimeout(() => unwrap("#article .flash"), FLASH_MS);
  }

  function clear() {
    window.clearTimeout(fading);
    unwrap("#article :is(.flash, .nearest, .words, mark)");
  }

  // Marks what the newest answer cites, and returns what of it should be in sight.
  function mark(newest) {
    clear();
    let first;
    for (const cited of newest?.querySelectorAll(".cited") ?? []) {
      const name = cited.closest(".others") ? "other" : "cited";
      const marks = wrap(places(cited.dataset.marks), "mark", name);
      const narrow = cited.dataset.words !== cited.dataset.marks;
      const words = narrow ? wrap(places(cited.dataset.words), "b", `words ${name}`) : marks;
      // Where the answer begins and ends is said to those who do not see it.
      words[0]?.classList.add("begins");
      words[words.length - 1]?.classList.add("ends");
      first ??= words[0] ?? marks[0];
    }
    const nearby = newest?.querySelector(".nearby");
    if (nearby) {
      const made = wrap(places(nearby.dataset.marks), "span", "nearest");
      for (const element of made) {
        // All of a paragraph is outlined as one box, and not line by line.
        const whole = element.textContent === element.parentNode.textContent;
        element.classList.toggle("whole", whole);
      }
      made[0]?.classList.add("labelled");
      first ??= made[0];
    }
    return first;
  }

  const turns = () => [...(log()?.querySelectorAll(".turn") ?? [])];
  const newest = () => turns().pop();

  // Called when so much was sent. Gradio's client stops listening when it is told that no more is to come,
  // and does not hear the reply to what it has sent meanwhile; the next thing that is sent has it listen
  // again. So one more is sent after a while, until such a one is heard.
  function sent(number) {
    if (!number) return;
    unheard += number;
    window.clearTimeout(listening);
    listening = window.setTimeout(() => {
      unheard = 0;
      overdue()?.click();
    }, OVERDUE_MS);
  }

  // Called when the reply to that is heard, and with it to all that was sent before it.
  function heard() {
    if (unheard <= 1) window.clearTimeout(listening);
  }

  // Called when the chat has changed.
  function answered() {
    const turn = newest();
    const waits = Boolean(turn?.querySelector(".waiting"));
    const now = `${turns().length} ${waits}`;
    // A document more or less changes how places are named, and nothing else.
    const same = now === talked;
    talked = now;
    if (turn && !same) {
      bring(log(), turn, 0.02);
      last = turn.querySelector(".asked").textContent;
    }
    if (waits) return;
    const first = mark(turn);
    if (!same) show(first);
  }

  // Called when the open documents have changed, for their tabs and for their texts.
  function opened() {
    const wanted = document.querySelector("#documents .shelf")?.dataset.show ?? "";
    if (wanted !== called) {
      add(false);
      called = wanted;
      shown = parseInt(wanted, 10);
    }
    turnTo(shown);
    // A tick that was clicked no longer follows its attribute.
    for (const tick of document.querySelectorAll("#documents input")) {
      tick.checked = tick.hasAttribute("checked");
    }
    add(document.body.classList.contains("adding"));
    if (!newest()?.querySelector(".waiting")) mark(newest());
  }

  // Shows or hides what documents are added with.
  function add(open) {
    document.body.classList.toggle("adding", open);
    document.querySelector("#documents .add")?.setAttribute("aria-expanded", String(open));
  }

  function write(text) {
    const field = box();
    if (!field) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.setSelectionRange(text.length, text.length);
  }

  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Only a page of this machine, or by https, may use the clipboard.
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "unseen";
      document.body.append(field);
      field.focus();
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.textContent = "Copied";
    tell("Copied");
    window.setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  }

  function save(text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    link.download = EXPORTED;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function unfold(button) {
    const open = button.previousElementSibling.classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Show less" : "Show all";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.dataset.places) flash(places(button.dataset.places));
    else if (button.dataset.copy) copy(button);
    else if (button.dataset.save) save(button.dataset.save);
    else if (button.matches("#chat .more")) unfold(button);
    else if (button.matches("#documents [role=tab]")) turnTo((shown = Number(button.dataset.index)));
    else if (button.matches("#documents .add")) {
      add(!document.body.classList.contains("adding"));
      document.querySelector("body.adding #files button")?.focus();
    } else if (["edit", "undo"].includes(button.dataset.event)) box()?.focus();
  });

  document.addEventListener("change", (event) => {
    const tick = event.target;
    if (tick.matches?.("#documents input")) tick.toggleAttribute("checked", tick.checked);
  });

  // The tab that a key goes to from another.
  function next(key, tab) {
    const all = tabs();
    const at = all.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[key];
    return to === undefined ? undefined : all[(to + all.length) % all.length];
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = event.target;
    const writes = at.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (event.key === "/" && !writes && box()) {
      event.preventDefault();
      box().focus();
    } else if (event.key === "ArrowUp" && at === box() && !at.value && last) {
      event.preventDefault();
      write(last);
    } else if (event.key === "Escape" && document.body.classList.contains("adding")) {
      add(false);
      document.querySelector("#documents .add")?.focus();
    } else if (at.matches?.("#documents [role=tab]") && next(event.key, at)) {
      event.preventDefault();
      shown = Number(next(event.key, at).dataset.index);
      turnTo(shown)?.focus();
    }
  });

  // Files may be dropped anywhere.
  for (const type of ["dragover", "drop"]) {
    document.addEventListener(type, (event) => {
      if (!event.dataTransfer?.types.includes("Files") || event.target.closest?.("#files")) return;
      event.preventDefault();
      const field = document.querySelector("#files input[type=file]");
      if (type !== "drop" || !field) return;
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  // Gradio's notices are a button around a button, which a screen reader cannot tell apart.
  new MutationObserver(() => {
    for (const head of document.querySelectorAll(".toast-header[role]")) {
      head.removeAttribute("role");
      head.removeAttribute("tabindex");
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  new PerformanceObserver((list) => {
    const joined = (entry) =>
      entry.name.includes("/queue/join") && (entry.responseStatus ?? 200) < 400;
    sent(list.getEntries().filter(joined).length);
  }).observe({ type: "resource", buffered: true });
  window.askTheArticle = { answered, heard, opened };
})();
