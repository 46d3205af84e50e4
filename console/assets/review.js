// The result view's own instant reactions: the level of the heat map, side by side, the picker of defect types.
(() => {
  const root = document.documentElement;
  const keep = (name, value) => { try { localStorage.setItem(`aos-${name}`, value); } catch { /* private mode */ } };
  const kept = (name) => { try { return localStorage.getItem(`aos-${name}`); } catch { return null; } };
  const seen = (element) => element && element.offsetParent !== null;

  // level: nothing of the heat map below a share of the limit ----------------------------------
  const LOWEST = 50;  // below half the limit the map draws nothing anyway
  const STEEP = 60;
  let step = null;
  const level = () => Number(kept("heat-level") ?? LOWEST);

  function filter() {
    if (step) return step;
    const holder = document.createElement("div");
    holder.innerHTML = `<svg width="0" height="0" style="position:absolute" aria-hidden="true"><filter id="aos-level"
      x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">
      <feColorMatrix in="SourceGraphic" type="matrix" values="1 0 0 0 0  0 1 0 0 0  0 0 1 0 0  0 1 0 0 0" result="height"/>
      <feComponentTransfer in="height" result="above"><feFuncA type="linear"/></feComponentTransfer>
      <feComposite in="SourceGraphic" in2="above" operator="in"/></filter></svg>`;
    document.body.append(holder);
    step = holder.querySelector("feFuncA");
    step.setAttribute("slope", STEEP);
    return step;
  }

  // 100 % of the limit is half way up the scale of the colours
  function green(percent) {
    const stops = (document.querySelector(".aos-photo .heat")?.dataset.green ?? "").split(",").map(Number);
    const place = (percent / 200) * (stops.length - 1);
    const lower = Math.min(Math.floor(place), stops.length - 2);
    return (stops[lower] + (stops[lower + 1] - stops[lower]) * (place - lower)) / 255;
  }

  function showLevel() {
    const percent = level();
    for (const text of document.querySelectorAll(".aos-level-text")) text.textContent = `${percent} %`;
    if (!document.querySelector(".aos-photo .heat[data-green]")) return;
    if (percent > LOWEST) filter().setAttribute("intercept", 0.5 - STEEP * green(percent));
    root.style.setProperty("--heat-filter", percent > LOWEST ? "url(#aos-level)" : "none");
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("input.aos-level")) return;
    delete root.dataset.heat;
    keep("heat-level", event.target.value);
    showLevel();
  });

  // side by side, filters ----------------------------------------------------------------------
  if (kept("side") === "on") root.dataset.side = "on";
  function toggleSide() {
    const on = root.dataset.side !== "on";
    if (on) root.dataset.side = "on"; else delete root.dataset.side;
    keep("side", on ? "on" : "off");
    window.aos?.whole();
  }

  function toggleFilters(open = root.dataset.filters !== "open") {
    if (open) root.dataset.filters = "open"; else delete root.dataset.filters;
    const opener = document.querySelector("[data-act=filters]");
    opener?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector(".aos-filters select")?.focus(); else opener?.focus();
  }

  // picker of defect types ---------------------------------------------------------------------
  const picker = () => document.querySelector(".aos-picker.open");
  const choices = () => [...picker().querySelectorAll(".aos-picker-choice")];

  function togglePicker(button) {
    if (picker()) { closePicker(); return; }
    const found = button?.closest(".aos-decide")?.querySelector(".aos-picker");
    if (!found) return;
    found.classList.add("open");
    button.setAttribute("aria-expanded", "true");
    choose(found.querySelector(".aos-picker-choice"));
  }
  function closePicker() {
    const open = picker();
    if (!open) return;
    open.classList.remove("open");
    const button = open.closest(".aos-decide").querySelector("[data-act=pick]");
    button?.setAttribute("aria-expanded", "false");
    button?.blur();
    document.activeElement?.blur();
  }
  function choose(choice) {
    choice?.focus();
    choice?.scrollIntoView({ block: "nearest" });
  }

  // before console.js, so that a letter picks instead of deciding
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const key = event.key.toLowerCase();
    if (root.dataset.filters === "open" && key === "escape" && event.target.closest?.(".aos-list-head")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      toggleFilters(false);
      return;
    }
    if (!picker() || event.target.matches?.("input, textarea, select")) return;
    event.stopImmediatePropagation();
    const all = choices();
    const at = all.indexOf(document.activeElement);
    if (key === "escape") closePicker();
    else if (key === "arrowdown" || key === "arrowright") choose(all[(at + 1) % all.length]);
    else if (key === "arrowup" || key === "arrowleft") choose(all[(at - 1 + all.length) % all.length]);
    else if (key === "home") choose(all[0]);
    else if (key === "end") choose(all.at(-1));
    else if (key === "enter") { if (!event.repeat) (all[at] ?? all[0]).click(); }
    else if (key === "tab") choose(all[(at + (event.shiftKey ? -1 : 1) + all.length) % all.length]);
    else if (key.length === 1) {
      // the same letter again goes on to the next one that begins with it
      const fit = [...all.slice(at + 1), ...all.slice(0, at + 1)].find((one) => one.dataset.letter === key);
      if (fit) choose(fit);
    } else return;
    event.preventDefault();
  }, true);

  document.addEventListener("click", (event) => {
    const actor = event.target.closest?.("[data-act]");
    const action = actor?.dataset.act;
    if (action === "pick") togglePicker(actor.getAttribute("aria-disabled") === "true" ? null : actor);
    else if (!event.target.closest?.(".aos-picker") || event.target.closest(".aos-picker-choice")) closePicker();
    if (action === "side") toggleSide();
    if (action === "filters") toggleFilters();
    if (action === "note") document.querySelector(".aos-note textarea")?.focus();
  });

  // what the server adds later -----------------------------------------------------------------
  new MutationObserver((changes) => {
    const added = changes.some((change) => [...change.addedNodes].some(
      (node) => node.nodeType === 1 && (node.matches?.(".aos-level, .heat") || node.querySelector?.(".aos-level, .heat"))));
    if (!added) return;
    for (const slider of document.querySelectorAll("input.aos-level")) slider.value = level();
    showLevel();
  }).observe(document, { childList: true, subtree: true });
})();
