// Search from anywhere (Ctrl K), G and a letter to go to a mode, and word of newly promoted models.
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const icon = (name) =>
    make("i", { class: "q-icon notranslate material-symbols-rounded", "aria-hidden": "true" }, name);
  const inside = () => document.querySelector(".aos-rail") !== null;
  const typing = (target) => target.closest?.("input:not([type=range]), textarea, select, [contenteditable=true]");
  const busy = () => document.querySelector(".q-dialog, .q-menu, .aos-help.open") !== null;

  async function ask(path, signal) {
    const answer = await fetch(path, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw Object.assign(new Error(answer.statusText), { status: answer.status });
    return answer.json();
  }

  // search -----------------------------------------------------------------------------------
  const WAIT = 140;
  let palette = null;
  let timer = 0;
  let request = null;
  let chosen = -1;

  function build() {
    const field = make("input", {
      class: "aos-seek-field", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "aos-seek-found",
      "aria-autocomplete": "list", "aria-label": "Search", placeholder: "Number, file, product, cause or page",
      autocomplete: "off", spellcheck: "false", maxlength: "100",
    });
    const close = make("button", { class: "aos-button small quiet", type: "button" }, "Close");
    const list = make("div", { id: "aos-seek-found", class: "aos-seek-found", role: "listbox", "aria-label": "Results" });
    const said = make("p", { class: "aos-seek-found-said", role: "status" });
    const hint = make("p", { class: "aos-seek-found-hint", "aria-hidden": "true" });
    hint.append(make("kbd", { class: "aos-key" }, "↑"), make("kbd", { class: "aos-key" }, "↓"), " choose ",
      make("kbd", { class: "aos-key" }, "Enter"), " open ", make("kbd", { class: "aos-key" }, "Esc"), " close");
    palette = make("dialog", { class: "aos-palette", role: "dialog", "aria-label": "Search from anywhere" },
      make("div", { class: "aos-seek-row" }, icon("search"), field, close), list,
      make("div", { class: "aos-seek-found-foot" }, said, hint));
    document.body.append(palette);
    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, WAIT); });
    close.addEventListener("click", () => palette.close());
    palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
    palette.addEventListener("keydown", keys);
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) open(option, event);
    });
    list.addEventListener("pointermove", (event) => {
      const index = options().indexOf(event.target.closest("[role=option]"));
      if (index >= 0 && index !== chosen) choose(index);
    });
  }

  const options = () => [...palette.querySelectorAll("[role=option]")];
  const field = () => palette.querySelector(".aos-seek-field");

  function show() {
    if (!inside()) return;
    if (!palette) build();
    if (palette.open) { palette.close(); return; }
    palette.showModal();
    field().select();
    find();
  }

  async function find() {
    request?.abort();
    request = new AbortController();
    const text = field().value.trim();
    try {
      draw(await ask(`/api/console/search?q=${encodeURIComponent(text)}`, request.signal), text);
    } catch (error) {
      if (error.name === "AbortError") return;
      palette.querySelector(".aos-seek-found").replaceChildren();
      say(error.status === 401 ? "Your session has ended. Sign in again." : "The search did not answer. Try again.");
    }
  }

  function draw(found, text) {
    const list = palette.querySelector(".aos-seek-found");
    let count = 0;
    list.replaceChildren(...found.groups.map((group, place) => {
      const title = make("div", { class: "aos-seek-found-title", id: `aos-group-${place}` }, group.name);
      const rows = group.items.map((item) => row(item, count++));
      return make("div", { role: "group", "aria-labelledby": `aos-group-${place}` }, title, ...rows);
    }));
    list.scrollTop = 0;
    choose(count ? 0 : -1);
    say(count ? `${count} ${count === 1 ? "result" : "results"}` : `Nothing found for “${text}”.`);
  }

  function row(item, number) {
    const words = make("span", { class: "aos-seek-found-words" }, make("span", { class: "aos-seek-found-name" }, item.title));
    if (item.note) words.append(make("span", { class: "aos-seek-found-note" }, item.note));
    const option = make("a", { role: "option", id: `aos-option-${number}`, class: "aos-seek-found-row", tabindex: "-1",
      "aria-selected": "false", href: item.href || "#" }, icon(item.icon), words);
    if (item.act) option.dataset.run = item.act;
    return option;
  }

  function choose(index) {
    chosen = index;
    options().forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    const option = options()[index];
    if (option) {
      field().setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field().removeAttribute("aria-activedescendant");
  }

  function open(option, event) {
    const act = option.dataset.run;
    if (!act) {
      if (event.type !== "click") { palette.close(); location.href = option.href; }
      return;
    }
    event.preventDefault();
    palette.close();
    document.querySelector(`.aos-rail [data-act="${CSS.escape(act)}"]`)?.click();
  }

  const say = (text) => { palette.querySelector(".aos-seek-found-said").textContent = text; };

  function keys(event) {
    event.stopPropagation();  // a letter typed here decides nothing on the page behind
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[event.key];
    const count = options().length;
    if (step && count) {
      event.preventDefault();
      const next = Math.abs(step) === 1 ? (chosen + step + count) % count : Math.min(count - 1, Math.max(0, chosen + step));
      choose(next);
    }
    if (event.key === "Enter" && event.target === field()) {
      event.preventDefault();
      if (options()[chosen]) open(options()[chosen], event);
    }
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); palette.close(); }
  }

  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-act=find]")) show(); });

  // ways between the modes -------------------------------------------------------------------
  const WAYS = { i: "/", f: "/forensics", a: "/analytics", r: "/arena", k: "/knowledge" };
  let going = 0;
  // in the capture phase, so that the second letter never reaches the page: F decides there
  addEventListener("keydown", (event) => {
    const key = event.key?.toLowerCase();
    if (key === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      if (palette?.open || !inside()) return;
      event.preventDefault();
      event.stopPropagation();
      show();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !inside()) return;
    if (palette?.open || typing(event.target) || busy()) { going = 0; return; }
    const soon = performance.now() - going < 1500;
    if (going && soon && key !== "g") {
      going = 0;
      event.stopPropagation();
      event.preventDefault();
      if (WAYS[key]) location.href = WAYS[key];
      return;
    }
    if (key === "g" && !event.repeat) {
      going = performance.now();
      event.stopPropagation();
    }
  }, true);

  // newly promoted models --------------------------------------------------------------------
  const EVERY = 20_000;
  let newest = null;
  let asking = false;
  let board = null;

  function post(item) {
    const dismiss = make("button", { class: "aos-button small quiet", type: "button", "aria-label": "Dismiss" }, icon("close"));
    const card = make("div", { class: "aos-news-item" }, icon(item.icon), make("span", {}, item.text));
    if (item.href) card.append(make("a", { href: item.href, class: "aos-button small" }, item.link));
    card.append(dismiss);
    dismiss.addEventListener("click", () => card.remove());
    if (item.key) {
      card.dataset.key = item.key;
      [...board.children].find((other) => other.dataset.key === item.key)?.remove();
    }
    board.append(card);
    while (board.children.length > 3) board.firstChild.remove();
  }

  async function look() {
    if (asking || document.hidden || !board) return;
    asking = true;
    try {
      const news = await ask(`/api/console/news${newest === null ? "" : `?after=${newest}`}`);
      newest = news.newest;
      news.items.forEach(post);
    } catch (error) {
      if (error.status === 401) {
        stop();
        const target = encodeURIComponent(location.pathname + location.search);
        post({ icon: "logout", text: "Your session has ended.", href: `/login?next=${target}`, link: "Sign in", key: "session" });
      }  // anything else is the network's: the next look is soon
    } finally {
      asking = false;
    }
  }

  let clock = 0;
  const stop = () => { clearInterval(clock); document.removeEventListener("visibilitychange", look); };
  addEventListener("load", () => {
    if (!inside()) return;
    // the page has one main landmark, ours; the layout's own goes round everything
    document.querySelector("main.q-page")?.setAttribute("role", "none");
    board = make("div", { class: "aos-news", role: "status", "aria-live": "polite" });
    document.body.append(board);
    look();
    clock = setInterval(look, EVERY);
    document.addEventListener("visibilitychange", look);
  });
})();
