// Shows PDFs as their pages: draws those near the view, marks answers on them by their boxes, and switches
// between pages and text. A place is [number of the document, number of the page, boxes], and a box
// [number of the page, left, top, width, height] in percent of the page. A place without boxes is not
// certain, and is not marked.
(() => {
  "use strict";
  const FLASH_MS = 2600; // as in page.js
  const UNMARKED = "This place cannot be marked on the page; switch to the text.";
  const CLOSEST = "The outlined passage is the closest, but may not answer your question.";
  const MIN_WIDTH = 100;
  const MAX_WIDTH = 2400; // as in pdf_images.py
  const MAX_PIXEL_RATIO = 2;
  const MAX_FETCHES = 2; // the browser allows six connections, and Gradio needs some
  const MAX_LOADED = 40; // images kept; the browser's cache has those that were dropped
  const RETRY_MS = 1200;
  const BAR_HEIGHT = 60; // above the text or pages in view
  const asText = new Set(); // the addresses of the PDFs shown as text
  const wanted = new Set(); // figures near the view without an image
  const fetching = new Map(); // from figures to what aborts their fetch
  const loaded = new Set(); // figures with an image, the one loaded last at the end
  let flashTimer = 0;

  const sheets = () => [...document.querySelectorAll("#article .sheet:has(> .pdf-pages)")];
  const sheet = (number) => document.querySelector(`#sheet-${number}:has(> .pdf-pages)`);
  const isPages = (container) => container.classList.contains("as-pages");
  const figureOf = (container, page) =>
    container.querySelector(`.pdf-page[data-page="${page}"]`);
  const note = (container) => container.querySelector(".pdf-note");
  const isUnmarked = (container) => note(container).textContent === UNMARKED;
  const place = (text) => (text ? JSON.parse(text) : undefined);

  // Images

  const observer = (container) =>
    new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (isIntersecting) want(target);
          else forgo(target);
        }
        fetchNext();
      },
      { root: container, rootMargin: "75% 0px" },
    );

  // The width of a figure in device pixels, within what the server draws.
  function pixelWidth(figure) {
    const ratio = Math.min(window.devicePixelRatio || 1, MAX_PIXEL_RATIO);
    return Math.round(Math.min(Math.max(figure.clientWidth * ratio, MIN_WIDTH), MAX_WIDTH));
  }

  function want(figure) {
    const sharp = pixelWidth(figure) <= 1.1 * Number(figure.dataset.width ?? 0);
    if (!sharp && !fetching.has(figure)) wanted.add(figure);
  }

  function forgo(figure) {
    wanted.delete(figure);
    fetching.get(figure)?.abort();
  }

  // The distance of a figure from the middle of what is in view.
  function distance(figure) {
    const outer = figure.closest(".sheet").getBoundingClientRect();
    const inner = figure.getBoundingClientRect();
    return Math.abs((inner.top + inner.bottom) / 2 - (outer.top + outer.bottom) / 2);
  }

  function fetchNext() {
    for (const figure of wanted) if (!figure.isConnected) wanted.delete(figure);
    while (wanted.size && fetching.size < MAX_FETCHES) {
      const nearest = [...wanted].reduce((a, b) => (distance(b) < distance(a) ? b : a));
      wanted.delete(nearest);
      load(nearest);
    }
  }

  async function load(figure) {
    const controller = new AbortController();
    fetching.set(figure, controller);
    const width = pixelWidth(figure);
    const address = figure.parentElement.dataset.url;
    try {
      const reply = await fetch(`${address}/${figure.dataset.page}?width=${width}`, {
        signal: controller.signal,
      });
      if (reply.ok) setImage(figure, await reply.blob(), width);
      else if (reply.status === 429) window.setTimeout(() => retry(figure), RETRY_MS);
      else setProblem(figure, await reply.text());
    } catch {
      if (!controller.signal.aborted) {
        setProblem(figure, "This page could not be fetched. Scroll away and back to try again.");
      }
    } finally {
      fetching.delete(figure);
      fetchNext();
    }
  }

  function retry(figure) {
    want(figure);
    fetchNext();
  }

  function setImage(figure, blob, width) {
    const image = figure.querySelector("img");
    dropImage(figure);
    figure.querySelector(".pdf-problem")?.remove();
    image.src = URL.createObjectURL(blob);
    figure.dataset.width = width;
    loaded.add(figure);
    for (const oldest of loaded) {
      if (loaded.size <= MAX_LOADED) break;
      dropImage(oldest);
    }
  }

  function dropImage(figure) {
    const image = figure.querySelector("img");
    URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    delete figure.dataset.width;
    loaded.delete(figure);
  }

  function setProblem(figure, text) {
    const problem = figure.querySelector(".pdf-problem") ?? document.createElement("p");
    problem.className = "pdf-problem";
    problem.textContent = text;
    figure.append(problem);
  }

  // Marks

  // The layer of a page that its text shows through; boxes in it cover each other.
  function layer(figure) {
    const existing = figure.querySelector(".pdf-marks");
    if (existing) return existing;
    const created = document.createElement("div");
    created.className = "pdf-marks";
    figure.append(created);
    return created;
  }

  // Draws the boxes of a place, and returns their elements.
  function draw([number, , boxes], name) {
    const container = sheet(number);
    const elements = [];
    for (const [page, left, top, width, height] of boxes) {
      const figure = container && figureOf(container, page);
      if (!figure) continue;
      const element = document.createElement("span");
      element.className = `pdf-box ${name}`;
      const sides = { left, top, width, height };
      for (const side of Object.keys(sides)) element.style[side] = `${sides[side]}%`;
      (name === "nearest" ? figure : layer(figure)).append(element);
      elements.push(element);
    }
    return elements;
  }

  // The place with one box for each column and page: boxes below or beside each other become one.
  function joined([number, page, boxes]) {
    const all = [];
    let previous;
    for (const box of boxes) {
      const last = all.at(-1);
      const [, left, top, width, height] = box;
      const goesOn =
        previous?.[0] === box[0] &&
        top + height > previous[2] && // not further up, as the next column is
        (top < previous[2] + previous[4] ||
          (left < last[1] + last[3] && last[1] < left + width));
      previous = box;
      if (goesOn) {
        const right = Math.max(left + width, last[1] + last[3]);
        const bottom = Math.max(top + height, last[2] + last[4]);
        const [outerLeft, outerTop] = [Math.min(left, last[1]), Math.min(top, last[2])];
        const size = [right - outerLeft, bottom - outerTop];
        all[all.length - 1] = [box[0], outerLeft, outerTop, ...size];
      } else all.push(box);
    }
    return [number, page, all];
  }

  function clear() {
    window.clearTimeout(flashTimer);
    for (const element of document.querySelectorAll("#article .pdf-box")) element.remove();
    for (const container of sheets()) note(container).textContent = "";
  }

  // Marks a place, or says that it cannot be marked; returns the element to scroll to.
  function mark(target, name) {
    const container = sheet(target[0]);
    if (!container) return undefined;
    const [first] = draw(target, name);
    if (first) return first;
    note(container).textContent = UNMARKED;
    return figureOf(container, target[1]);
  }

  // What to scroll to if a document is shown as pages.
  const onPages = (element) =>
    element && isPages(element.closest(".sheet")) ? element : undefined;

  // Marks what the newest answer cites; returns what to scroll to, unless that is in a text.
  function highlight(turn) {
    const targets = [];
    for (const cited of turn?.querySelectorAll(".cited") ?? []) {
      const name = cited.closest(".others") ? "other" : "cited";
      const words = place(cited.dataset.wordBoxes);
      if (words && cited.dataset.wordBoxes !== cited.dataset.markBoxes) {
        draw(place(cited.dataset.markBoxes), `sentence ${name}`);
      }
      targets.push(words && mark(words, `words ${name}`));
    }
    const nearby = place(turn?.querySelector(".nearby")?.dataset.markBoxes);
    if (nearby) {
      const element = mark(joined(nearby), "nearest");
      // A label on the page would cover its text.
      if (element?.matches(".pdf-box")) note(element.closest(".sheet")).textContent = CLOSEST;
      targets.push(element);
    }
    return onPages(targets[0]);
  }

  // Marks the place that a button goes to for a moment; returns what to scroll to.
  function flash(button) {
    window.clearTimeout(flashTimer);
    for (const element of document.querySelectorAll("#article .pdf-box.flash")) element.remove();
    const target = place(button.dataset.rangeBoxes);
    if (!target) return undefined;
    const container = sheet(target[0]);
    if (container && isUnmarked(container)) note(container).textContent = "";
    const element = mark(target, "flash");
    flashTimer = window.setTimeout(() => {
      for (const one of document.querySelectorAll("#article .pdf-box.flash")) one.remove();
    }, FLASH_MS);
    return onPages(element);
  }

  // Pages or text

  function setView(container, pages) {
    container.classList.toggle("as-pages", pages);
    for (const button of container.querySelectorAll(".pdf-bar button")) {
      button.setAttribute("aria-pressed", String((button.dataset.view === "pages") === pages));
    }
  }

  // Whether an element is in view within its sheet.
  function isInView(element) {
    const outer = element.closest(".sheet").getBoundingClientRect();
    const inner = element.getBoundingClientRect();
    return inner.height > 0 && inner.bottom > outer.top + BAR_HEIGHT && inner.top < outer.bottom;
  }

  // The number of the page at the top of the view.
  function currentPage(container) {
    const top = container.getBoundingClientRect().top + BAR_HEIGHT;
    if (isPages(container)) {
      const figures = [...container.querySelectorAll(".pdf-page")];
      const figure = figures.find((one) => one.getBoundingClientRect().bottom > top);
      return Number(figure?.dataset.page ?? figures.length);
    }
    const marks = [...container.querySelectorAll(".page")];
    const passed = marks.filter((one) => one.getBoundingClientRect().top <= top);
    return Number(passed.at(-1)?.dataset.page ?? 1);
  }

  function goToPage(container, page) {
    const element = isPages(container)
      ? figureOf(container, page)
      : container.querySelector(`.page[data-page="${page}"]`);
    const outer = container.getBoundingClientRect().top + BAR_HEIGHT;
    const top = page > 1 && element ? element.getBoundingClientRect().top - outer : -Infinity;
    container.scrollTop = Math.max(0, container.scrollTop + top);
  }

  // Goes there again when the browser knows the heights of what has come into view.
  function goToPageInView(container, page) {
    goToPage(container, page);
    requestAnimationFrame(() => requestAnimationFrame(() => goToPage(container, page)));
  }

  // Switches between pages and text: to the answer if it is in view or cannot be marked, else to the same
  // page.
  function switchView(container, pages) {
    if (pages === isPages(container)) return;
    const marks = () =>
      isPages(container)
        ? [...container.querySelectorAll(".pdf-box:is(.words, .nearest)")]
        : [...container.querySelectorAll(".words, mark, .nearest")].filter(
            (one) => !one.matches(".pdf-box"),
          );
    const atAnswer = isUnmarked(container) || marks().some(isInView);
    const page = currentPage(container);
    setView(container, pages);
    const address = container.querySelector(".pdf-pages").dataset.url;
    if (pages) asText.delete(address);
    else asText.add(address);
    const [first] = marks();
    if (atAnswer && first) window.askTheArticle.show(first);
    else goToPageInView(container, page);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#article .pdf-bar button");
    if (button) switchView(button.closest(".sheet"), button.dataset.view === "pages");
  });

  // Called when the sheets are there, and when they have been replaced.
  function opened() {
    for (const figure of [...loaded]) if (!figure.isConnected) dropImage(figure);
    for (const [figure, controller] of fetching) if (!figure.isConnected) controller.abort();
    for (const container of sheets()) {
      if (container.dataset.observed) continue;
      container.dataset.observed = "true";
      setView(container, !asText.has(container.querySelector(".pdf-pages").dataset.url));
      const images = observer(container);
      for (const figure of container.querySelectorAll(".pdf-page")) images.observe(figure);
    }
  }

  window.askTheArticle.pdfPages = { clear, flash, highlight, opened };
})();
