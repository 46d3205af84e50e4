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
    if (!event.target.matches("input.aos-slider")) return;
    delete root.dataset.heat;
    setOpacity(event.target.value);
    keep("heat-opacity", event.target.value);
  });

  // zoom and pan -----------------------------------------------------------------------------
  const views = new WeakMap();
  const view = (photo) => views.get(photo) ?? { scale: 1, x: 0, y: 0 };
  function showView(photo, next) {
    next.scale = Math.min(12, Math.max(1, next.scale));
    if (next.scale === 1) next.x = next.y = 0;
    views.set(photo, next);
    photo.style.transform = next.scale === 1 ? "" : `translate(${next.x}px, ${next.y}px) scale(${next.scale})`;
    photo.closest(".aos-stage").classList.toggle("zoomed", next.scale > 1);
  }
  function zoom(photo, factor, clientX, clientY) {
    const now = view(photo);
    const scale = Math.min(12, Math.max(1, now.scale * factor));
    const box = photo.getBoundingClientRect();
    const [px, py] = [clientX - box.left, clientY - box.top];
    const ratio = scale / now.scale;
    showView(photo, { scale, x: now.x + px - px * ratio, y: now.y + py - py * ratio });
  }
  const stagePhoto = (target) => target.closest?.(".aos-stage")?.querySelector(".aos-photo");
  document.addEventListener("wheel", (event) => {
    const photo = stagePhoto(event.target);
    if (!photo) return;
    event.preventDefault();
    zoom(photo, event.deltaY < 0 ? 1.2 : 1 / 1.2, event.clientX, event.clientY);
  }, { passive: false });
  document.addEventListener("dblclick", (event) => {
    const photo = stagePhoto(event.target);
    if (!photo) return;
    if (view(photo).scale > 1) showView(photo, { scale: 1, x: 0, y: 0 });
    else zoom(photo, 3, event.clientX, event.clientY);
  });
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const photo = stagePhoto(event.target);
    if (!photo || view(photo).scale === 1 || event.button !== 0) return;
    drag = { photo, from: { ...view(photo) }, x: event.clientX, y: event.clientY };
    photo.closest(".aos-stage").classList.add("dragging");
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const { photo, from, x, y } = drag;
    showView(photo, { scale: from.scale, x: from.x + event.clientX - x, y: from.y + event.clientY - y });
  });
  document.addEventListener("pointerup", () => {
    drag?.photo.closest(".aos-stage")?.classList.remove("dragging");
    drag = null;
  });
  function zoomKey(factor) {
    const photo = document.querySelector(".aos-stage .aos-photo");
    if (!photo) return;
    if (factor === 0) { showView(photo, { scale: 1, x: 0, y: 0 }); return; }
    const box = photo.closest(".aos-stage").getBoundingClientRect();
    zoom(photo, factor, box.left + box.width / 2, box.top + box.height / 2);
  }

  // shortcuts --------------------------------------------------------------------------------
  const typing = (target) => target.closest?.("input:not([type=range]), textarea, select, [contenteditable=true]");
  const REPEATING = new Set(["j", "k", "arrowdown", "arrowup", "arrowleft", "arrowright", "+", "-"]);
  const ALIASES = { arrowdown: "j", arrowright: "j", arrowup: "k", arrowleft: "k" };
  const help = () => document.querySelector(".aos-help");
  let heatPressed = 0;

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
    if (key === "?") { help()?.classList.toggle("open"); return; }
    if (help()?.classList.contains("open")) {
      if (key === "escape") help().classList.remove("open");
      return;
    }
    if (document.querySelector(".q-menu")) return;
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
    if (action === "help") help()?.classList.toggle("open");
    if (action === "heat" || action === "regions") toggle(action);
    if (action === "zoom-in") zoomKey(1.4);
    if (action === "zoom-reset") zoomKey(0);
    if (event.target === help()) help().classList.remove("open");
  });

  // what the server adds later ---------------------------------------------------------------
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (node.nodeType !== 1) continue;
        for (const slider of node.querySelectorAll?.("input.aos-slider") ?? []) slider.value = opacity();
        if (node.matches?.("input.aos-slider")) node.value = opacity();
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
