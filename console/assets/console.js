// What must act at once, without asking the server: theme, heat map, regions, zoom, shortcuts.
(() => {
  const root = document.documentElement;
  const keep = (name, value) => { try { localStorage.setItem(`aos-${name}`, value); } catch { /* private mode */ } };
  const kept = (name) => { try { return localStorage.getItem(`aos-${name}`); } catch { return null; } };

  // theme ------------------------------------------------------------------------------------
  const prefersDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  function showTheme(theme) {
    root.dataset.theme = theme;
    window.Quasar?.Dark.set(theme === "dark");
  }
  const theme = () => kept("theme") ?? (prefersDark() ? "dark" : "light");
  showTheme(theme());
  addEventListener("load", () => showTheme(theme()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showTheme(theme()));

  function toggleTheme() {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    keep("theme", next);
    showTheme(next);
  }

  // heat map and regions ---------------------------------------------------------------------
  const opacity = () => Number(kept("heat-opacity") ?? 60);
  const setOpacity = (percent) => root.style.setProperty("--heat-opacity", percent / 100);
  setOpacity(opacity());
  if (kept("regions") === "off") root.dataset.regions = "off";

  function toggle(name) {
    const off = root.dataset[name] !== "off";
    if (off) root.dataset[name] = "off"; else delete root.dataset[name];
    if (name === "regions") keep("regions", off ? "off" : "on");
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("input.aos-slider:not(.aos-level)")) return;
    delete root.dataset.heat;
    setOpacity(event.target.value);
    keep("heat-opacity", event.target.value);
  });

  // zoom and pan: all pictures of a stage move in step -----------------------------------------
  const views = new WeakMap();
  const view = (stage) => views.get(stage) ?? { scale: 1, x: 0, y: 0 };
  const photos = (stage) => [...stage.querySelectorAll(".aos-photo")].filter((photo) => photo.offsetParent !== null);
  const limited = (scale) => Math.min(12, Math.max(1, scale));
  function showView(stage, next) {
    next.scale = limited(next.scale);
    const [first] = photos(stage);
    if (!first) return;
    // at least a quarter of the picture stays in sight
    const within = (value, size) => Math.min(0.75 * size, Math.max(0.25 * size - size * next.scale, value));
    if (next.scale === 1) next.x = next.y = 0;
    else { next.x = within(next.x, first.offsetWidth); next.y = within(next.y, first.offsetHeight); }
    views.set(stage, next);
    const move = next.scale === 1 ? "" : `translate(${next.x}px, ${next.y}px) scale(${next.scale})`;
    for (const photo of photos(stage)) photo.style.transform = move;
    stage.classList.toggle("zoomed", next.scale > 1);
  }
  function zoom(photo, factor, clientX, clientY) {
    const stage = photo.closest(".aos-stage");
    const now = view(stage);
    const scale = limited(now.scale * factor);
    const box = photo.getBoundingClientRect();
    const [px, py] = [clientX - box.left, clientY - box.top];
    const ratio = scale / now.scale;
    showView(stage, { scale, x: now.x + px - px * ratio, y: now.y + py - py * ratio });
  }
  const whole = (stage) => showView(stage, { scale: 1, x: 0, y: 0 });
  const stageOf = (target) => target.closest?.(".aos-stage:has(.aos-photo)");
  // the picture under the pointer, or else the first one
  const photoAt = (stage, target) => target.closest?.(".aos-pane")?.querySelector(".aos-photo") ?? photos(stage)[0];
  document.addEventListener("wheel", (event) => {
    const stage = stageOf(event.target);
    if (!stage) return;
    event.preventDefault();
    zoom(photoAt(stage, event.target), event.deltaY < 0 ? 1.2 : 1 / 1.2, event.clientX, event.clientY);
  }, { passive: false });
  document.addEventListener("dblclick", (event) => {
    const stage = stageOf(event.target);
    if (!stage || event.target.closest("button")) return;
    if (view(stage).scale > 1) whole(stage);
    else zoom(photoAt(stage, event.target), 3, event.clientX, event.clientY);
  });
  // one finger or the mouse moves, two fingers zoom
  const fingers = new Map();
  let drag = null;
  const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
  document.addEventListener("pointerdown", (event) => {
    const stage = stageOf(event.target);
    if (!stage || event.button !== 0 || event.target.closest("button")) return;
    fingers.set(event.pointerId, event);
    drag = { stage, photo: photoAt(stage, event.target), from: { ...view(stage) }, x: event.clientX, y: event.clientY,
      apart: fingers.size === 2 ? spread() : 0 };
    stage.classList.toggle("dragging", view(stage).scale > 1);
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || !fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event);
    const { stage, photo, from, x, y, apart } = drag;
    if (fingers.size === 2 && apart) {
      const [a, b] = [...fingers.values()];
      const now = spread();
      zoom(photo, now / apart, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
      drag.apart = now;
    } else if (fingers.size === 1 && view(stage).scale > 1) {
      showView(stage, { scale: from.scale, x: from.x + event.clientX - x, y: from.y + event.clientY - y });
    }
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, (event) => {
      if (!fingers.delete(event.pointerId)) return;
      drag?.stage.classList.remove("dragging");
      drag = null;
    });
  }
  function zoomKey(factor) {
    const stage = [...document.querySelectorAll(".aos-stage")].find((one) => photos(one).length);
    if (!stage) return;
    if (factor === 0) { whole(stage); return; }
    const [photo] = photos(stage);
    const box = (photo.closest(".aos-pane") ?? stage).getBoundingClientRect();
    zoom(photo, factor, box.left + box.width / 2, box.top + box.height / 2);
  }

  // shortcuts --------------------------------------------------------------------------------
  const typing = (target) => target.closest?.("input:not([type=range]), textarea, select, [contenteditable=true]");
  const REPEATING = new Set(["j", "k", "arrowdown", "arrowup", "arrowleft", "arrowright", "+", "-"]);
  const ALIASES = { arrowdown: "j", arrowright: "j", arrowup: "k", arrowleft: "k" };
  const help = () => document.querySelector(".aos-help");
  let heatPressed = 0;
  let before = null;

  function showHelp(open = !help()?.classList.contains("open")) {
    if (!help()) return;
    if (open) before = document.activeElement;
    help().classList.toggle("open", open);
    if (open) help().querySelector("button")?.focus(); else before?.focus();
  }

  function press(key) {
    const button = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((e) => e.offsetParent !== null);
    if (!button) return false;
    button.classList.add("flash");
    setTimeout(() => button.classList.remove("flash"), 160);
    button.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const key = event.key.toLowerCase();
    if (typing(event.target)) {
      if (key === "escape") event.target.blur();
      return;
    }
    if (document.querySelector(".q-menu, .q-dialog, dialog[open]")) return;
    if (key === "?") { showHelp(); return; }
    if (help()?.classList.contains("open")) {
      if (key === "escape") showHelp(false);
      if (key === "tab") event.preventDefault();  // its only control keeps the focus
      return;
    }
    if (event.target.matches?.("input[type=range]") && key.startsWith("arrow")) return;
    if (event.repeat && !REPEATING.has(key)) { if (key === "h") event.preventDefault(); return; }
    if (key === "h") { heatPressed = performance.now(); toggle("heat"); event.preventDefault(); return; }
    if (key === "r") { toggle("regions"); event.preventDefault(); return; }
    if (key === "+" || key === "=") { zoomKey(1.4); return; }
    if (key === "-") { zoomKey(1 / 1.4); return; }
    if (key === "0") { zoomKey(0); return; }
    if (press(ALIASES[key] ?? key)) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() !== "h" || !heatPressed) return;
    if (performance.now() - heatPressed > 350) toggle("heat");  // held to peek, so back as it was
    heatPressed = 0;
  });
  document.addEventListener("click", (event) => {
    const action = event.target.closest?.("[data-act]")?.dataset.act;
    if (action === "theme") toggleTheme();
    if (action === "help") showHelp();
    if (action === "heat" || action === "regions") toggle(action);
    if (action === "zoom-in") zoomKey(1.4);
    if (action === "zoom-reset") zoomKey(0);
    if (event.target === help()) showHelp(false);
  });

  // what the server adds later ---------------------------------------------------------------
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (node.nodeType !== 1) continue;
        for (const slider of node.querySelectorAll?.("input.aos-slider:not(.aos-level)") ?? []) slider.value = opacity();
        if (node.matches?.("input.aos-slider:not(.aos-level)")) node.value = opacity();
      }
    }
  }).observe(document, { childList: true, subtree: true });

  // dropping and pasting ---------------------------------------------------------------------
  const uploader = () => document.querySelector(".aos-uploader");
  const send = (files) => {
    const id = uploader()?.id.replace(/^c/, "");
    const images = [...files].filter((file) => file.size > 0);
    if (id && images.length) getElement(Number(id)).$refs.qRef.addFiles(images);
  };
  let depth = 0;
  const carriesFiles = (event) => uploader() && [...(event.dataTransfer?.types ?? [])].includes("Files");
  const dragging = (on) => document.body.classList.toggle("aos-dragging", on);
  document.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth += 1; dragging(true); event.preventDefault(); } });
  document.addEventListener("dragleave", (event) => { if (carriesFiles(event) && --depth <= 0) { depth = 0; dragging(false); } });
  document.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    dragging(false);
    send(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => { if (uploader() && event.clipboardData?.files.length) send(event.clipboardData.files); });

  window.aos = {
    whole: () => zoomKey(0),
    preload: (urls) => urls.forEach((url) => { new Image().src = url; }),
    reveal: () => document.querySelector(".aos-item.selected")?.scrollIntoView({ block: "nearest" }),
    async copy(text) {
      try { await navigator.clipboard.writeText(text); return true; } catch { /* no secure context: the old way */ }
      const field = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    },
  };
})();
