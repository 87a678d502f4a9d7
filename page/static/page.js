// Highlights answers in the documents, scrolls to a text range when its button is clicked, switches
// between documents, and keeps the newest turn of the chat visible. document.js comes before it.
(() => {
  "use strict";
  const FLASH_MS = 2600;
  const COPIED_MS = 1600;
  const OVERDUE_MS = 3000;
  const EXPORTED = "questions-and-answers.md";
  const { clear, outline, scrollBehavior, scrollTo, unwrap, wrap } = documentPane;
  let flashTimer = 0;
  let overdueTimer = 0;
  let unheard = 0; // requests sent since the client was last made to listen
  let shown = 0; // the number of the visible document
  let requestedDocument = ""; // the document that the server last asked to show
  let chatState = ""; // of the chat when last updated: the number of turns, and whether one waits
  let lastQuestion = "";

  const log = () => document.querySelector("#chat .log");
  const overdue = () => document.getElementById("overdue");
  const box = () => document.querySelector("#question textarea");
  const sheets = () => [...document.querySelectorAll("#article .sheet")];
  const tabs = () => [...document.querySelectorAll("#documents [role=tab]")];
  const parseRanges = (text) => JSON.parse(text || "[]");
  const pdfPages = () => window.askTheArticle.pdfPages; // pdf.js

  // Announces a text to screen readers.
  const announcer = document.createElement("div");
  announcer.className = "screen-reader-only";
  announcer.setAttribute("role", "status");
  const announce = (text) => {
    if (!announcer.isConnected) document.querySelector(".gradio-container")?.append(announcer);
    announcer.textContent = text;
  };

  // Shows a document, or the first one if there is none of this number; returns its tab.
  function showDocument(number) {
    const all = tabs();
    const selected = all.find((tab) => Number(tab.dataset.index) === number) ?? all[0];
    if (!selected) return;
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab === selected));
      tab.tabIndex = tab === selected ? 0 : -1;
    }
    for (const one of sheets()) one.hidden = one.dataset.index !== selected.dataset.index;
    const strip = selected.closest(".tabs");
    const item = selected.closest(".tab");
    const gap = item.getBoundingClientRect().left - strip.getBoundingClientRect().left;
    if (gap < 0 || gap + item.offsetWidth > strip.clientWidth) strip.scrollLeft += gap - 24;
    return selected;
  }

  // Shows the document that contains an element, and scrolls to the element.
  function show(element) {
    const container = element?.closest(".sheet");
    if (!container) return;
    shown = Number(container.dataset.index);
    showDocument(shown);
    scrollTo(container, element, 0.25);
  }

  // Scrolls to a button's text ranges and highlights them for a moment.
  function flash(button) {
    window.clearTimeout(flashTimer);
    unwrap("#article .flash");
    const elements = wrap(parseRanges(button.dataset.ranges), "span", "flash");
    if (!elements.length) return;
    show(pdfPages().flash(button) ?? elements[0]);
    const container = elements[0].closest(".sheet");
    // On a phone the article is below the chat: scroll the window too.
    container.scrollIntoView({ block: "nearest", behavior: scrollBehavior() });
    container.focus({ preventScroll: true });
    flashTimer = window.setTimeout(() => unwrap("#article .flash"), FLASH_MS);
  }

  function clearHighlights() {
    window.clearTimeout(flashTimer);
    clear("#article :is(.flash, .nearest, .words, mark)");
    pdfPages().clear();
  }

  // Highlights what the newest answer cites, and returns the element to scroll to.
  function highlight(turn) {
    clearHighlights();
    let first;
    for (const cited of turn?.querySelectorAll(".cited") ?? []) {
      const name = cited.closest(".others") ? "other" : "cited";
      const marks = wrap(parseRanges(cited.dataset.marks), "mark", name);
      const narrow = cited.dataset.words !== cited.dataset.marks;
      const words = narrow ? wrap(parseRanges(cited.dataset.words), "b", `words ${name}`) : marks;
      // Tells screen readers where the answer begins and ends.
      words[0]?.classList.add("begins");
      words[words.length - 1]?.classList.add("ends");
      first ??= words[0] ?? marks[0];
    }
    const nearby = turn?.querySelector(".nearby");
    if (nearby) {
      const elements = wrap(parseRanges(nearby.dataset.marks), "span", "nearest");
      outline(elements);
      first ??= elements[0];
    }
    return pdfPages().highlight(turn) ?? first;
  }

  const turns = () => [...(log()?.querySelectorAll(".turn") ?? [])];
  const newest = () => turns().pop();

  // Called after requests were sent. Gradio's client stops listening for replies when the server has no
  // more to come, and misses the reply to a request sent at that moment; the next request makes it listen
  // again. So one is sent after a while, until its own reply is heard.
  function requestsSent(count) {
    if (!count) return;
    unheard += count;
    window.clearTimeout(overdueTimer);
    overdueTimer = window.setTimeout(() => {
      unheard = 0;
      overdue()?.click();
    }, OVERDUE_MS);
  }

  // Called when the reply to that request is heard, and so those to all requests before it.
  function heard() {
    if (unheard <= 1) window.clearTimeout(overdueTimer);
  }

  // Called when the chat has changed.
  function answered() {
    const turn = newest();
    const waits = Boolean(turn?.querySelector(".waiting"));
    const state = `${turns().length} ${waits}`;
    // When a document is added or removed, only the names of locations change.
    const same = state === chatState;
    chatState = state;
    if (turn && !same) {
      scrollTo(log(), turn, 0.02);
      lastQuestion = turn.querySelector(".asked").textContent;
    }
    if (waits) return;
    const first = highlight(turn);
    if (!same) show(first);
  }

  // Called when the open documents have changed, once for their tabs and once for their texts.
  function opened() {
    const requested = document.querySelector("#documents .tab-bar")?.dataset.show ?? "";
    if (requested !== requestedDocument) {
      toggleAdding(false);
      requestedDocument = requested;
      shown = parseInt(requested, 10);
    }
    pdfPages().opened();
    showDocument(shown);
    // A checkbox that was clicked no longer follows its attribute.
    for (const checkbox of document.querySelectorAll("#documents input")) {
      checkbox.checked = checkbox.hasAttribute("checked");
    }
    toggleAdding(document.body.classList.contains("adding"));
    if (!newest()?.querySelector(".waiting")) highlight(newest());
  }

  // Shows or hides the panel for adding documents.
  function toggleAdding(open) {
    document.body.classList.toggle("adding", open);
    document.querySelector("#documents .add")?.setAttribute("aria-expanded", String(open));
  }

  // Puts a text into the question box.
  function setQuestion(text) {
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
      // Browsers offer the clipboard only over https or on this machine.
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "screen-reader-only";
      document.body.append(field);
      field.focus();
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.textContent = "Copied";
    announce("Copied");
    window.setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  }

  function download(text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    link.download = EXPORTED;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function toggleQuotation(button) {
    const open = button.previousElementSibling.classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Show less" : "Show all";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.dataset.ranges) flash(button);
    else if (button.dataset.copy) copy(button);
    else if (button.dataset.save) download(button.dataset.save);
    else if (button.matches("#chat .more")) toggleQuotation(button);
    else if (button.matches("#documents [role=tab]")) {
      shown = Number(button.dataset.index);
      showDocument(shown);
    } else if (button.matches("#documents .add")) {
      toggleAdding(!document.body.classList.contains("adding"));
      document.querySelector("body.adding #files button")?.focus();
    } else if (["edit", "undo"].includes(button.dataset.event)) box()?.focus();
  });

  document.addEventListener("change", (event) => {
    const control = event.target;
    if (control.matches?.("#documents input")) control.toggleAttribute("checked", control.checked);
  });

  // The tab that a key moves the focus to.
  function tabForKey(key, tab) {
    const all = tabs();
    const index = all.indexOf(tab);
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: all.length - 1 }[key];
    return next === undefined ? undefined : all[(next + all.length) % all.length];
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    const editable = "input:not([type=checkbox]), textarea, select, [contenteditable]";
    if (event.key === "/" && !target.closest?.(editable) && box()) {
      event.preventDefault();
      box().focus();
    } else if (event.key === "ArrowUp" && target === box() && !target.value && lastQuestion) {
      event.preventDefault();
      setQuestion(lastQuestion);
    } else if (event.key === "Escape" && document.body.classList.contains("adding")) {
      toggleAdding(false);
      document.querySelector("#documents .add")?.focus();
    } else if (target.matches?.("#documents [role=tab]") && tabForKey(event.key, target)) {
      event.preventDefault();
      shown = Number(tabForKey(event.key, target).dataset.index);
      showDocument(shown)?.focus();
    }
  });

  // Files may be dropped anywhere on the page.
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

  // Gradio's notices have a button within a button, which screen readers cannot tell apart.
  new MutationObserver(() => {
    for (const head of document.querySelectorAll(".toast-header[role]")) {
      head.removeAttribute("role");
      head.removeAttribute("tabindex");
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  new PerformanceObserver((list) => {
    const isRequest = (entry) =>
      entry.name.includes("/queue/join") && (entry.responseStatus ?? 200) < 400;
    requestsSent(list.getEntries().filter(isRequest).length);
  }).observe({ type: "resource", buffered: true });
  window.askTheArticle = { answered, heard, opened, show };
})();
