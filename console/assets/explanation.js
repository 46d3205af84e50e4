// Maps side by side: zooming or moving one moves all of its row.
(() => {
  const states = new WeakMap();
  const state = (row) => states.get(row) ?? { s: 1, x: 0, y: 0 };
  const within = (value, low, high) => Math.min(high, Math.max(low, value));
  function show(row, next) {
    const s = within(next.s, 1, 12);
    // x and y in shares of the frame, so pictures of any size move alike
    const at = { s, x: within(next.x, 1 - s, 0), y: within(next.y, 1 - s, 0) };
    states.set(row, at);
    row.style.setProperty("--sync-s", at.s);
    row.style.setProperty("--sync-x", at.x);
    row.style.setProperty("--sync-y", at.y);
    row.classList.toggle("zoomed", at.s > 1);
  }
  function zoom(row, factor, px = 0.5, py = 0.5) {
    const now = state(row);
    const s = within(now.s * factor, 1, 12);
    const ratio = s / now.s;
    show(row, { s, x: px - (px - now.x) * ratio, y: py - (py - now.y) * ratio });
  }
  const rowOf = (target) => target.closest?.(".aos-sync");
  const frameOf = (target) => (rowOf(target) ? target.closest(".aos-sync-frame") : null);
  function place(frame, event) {
    const box = frame.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }
  document.addEventListener("wheel", (event) => {
    const frame = frameOf(event.target);
    // the page scrolls over a whole picture: only a zoomed one, or Ctrl, takes the wheel
    if (!frame || !(event.ctrlKey || state(rowOf(frame)).s > 1)) return;
    event.preventDefault();
    zoom(rowOf(frame), event.deltaY < 0 ? 1.2 : 1 / 1.2, ...place(frame, event));
  }, { passive: false });
  document.addEventListener("dblclick", (event) => {
    const frame = frameOf(event.target);
    if (!frame) return;
    const row = rowOf(frame);
    if (state(row).s > 1) show(row, { s: 1, x: 0, y: 0 });
    else zoom(row, 3, ...place(frame, event));
  });
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const frame = frameOf(event.target);
    if (!frame || event.button !== 0 || state(rowOf(frame)).s === 1) return;
    const box = frame.getBoundingClientRect();
    drag = { row: rowOf(frame), from: { ...state(rowOf(frame)) }, x: event.clientX, y: event.clientY, w: box.width, h: box.height };
    drag.row.classList.add("dragging");
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const { row, from, x, y, w, h } = drag;
    show(row, { s: from.s, x: from.x + (event.clientX - x) / w, y: from.y + (event.clientY - y) / h });
  });
  const release = () => { drag?.row.classList.remove("dragging"); drag = null; };
  document.addEventListener("pointerup", release);
  document.addEventListener("pointercancel", release);
  const ACTIONS = { in: (row) => zoom(row, 1.6), out: (row) => zoom(row, 1 / 1.6), reset: (row) => show(row, { s: 1, x: 0, y: 0 }) };
  document.addEventListener("click", (event) => {
    const action = event.target.closest?.("[data-sync]")?.dataset.sync;
    if (action) ACTIONS[action](rowOf(event.target));
  });
  document.addEventListener("keydown", (event) => {
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const action = { "+": "in", "=": "in", "-": "out", 0: "reset" }[event.key];
    const move = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    const now = state(row);
    if (action) ACTIONS[action](row);
    else if (move && now.s > 1) show(row, { s: now.s, x: now.x + move[0], y: now.y + move[1] });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
})();
