// Arena: the clock, the mark and the keys of a call. What is right stays on the server until it was answered.
(() => {
  const STEP = 0.02;
  const LOW = 5000;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const play = () => document.querySelector(".aos-arena-play");
  const part = (name) => play()?.querySelector(`[data-arena="${name}"]`);
  let call = "";
  let state = "";
  let until = 0;
  let mark = null;
  let armed = false;
  let sent = false;

  const left = () => until - performance.now();
  const asking = () => play()?.dataset.state === "question" && play().dataset.call === call && !sent && left() > 0;
  const say = (text) => { const hint = part("hint"); if (hint) hint.textContent = text; };

  function begin(page) {
    call = page.dataset.call;
    until = performance.now() + Number(page.dataset.left);
    mark = null;
    armed = sent = false;
    delete page.dataset.armed;
  }

  function showClock(page) {
    const now = Math.max(0, left());
    const limit = Number(page.dataset.limit);
    const shown = calm.matches ? Math.ceil(now / 1000) * 1000 : now;
    const [fill, seconds] = [part("fill"), part("seconds")];
    if (fill) fill.style.transform = `scaleX(${Math.min(1, shown / limit)})`;
    if (seconds) seconds.textContent = Math.ceil(now / 1000);
    page.dataset.low = now < LOW ? "yes" : "no";
    if (now === 0 && !sent) { sent = true; say("Time is up."); }
  }

  setInterval(() => {
    const page = play();
    if (!page) { state = ""; return; }
    const now = page.dataset.state;
    if (now === "question") {
      if (page.dataset.call !== call || state !== now) begin(page);
      showClock(page);
    } else if (now !== state) {
      const next = part("next");
      // the way on has the focus, unless the person is at another control already
      const held = document.activeElement?.closest("a, button, input, select, textarea");
      if (next && (!held || page.contains(held))) next.focus({ preventScroll: true });
    }
    if (now === "question" || part("next") || now === "summary") state = now;
  }, 80);

  function place(x, y) {
    mark = { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) };
    const shown = part("mark");
    if (!shown) return;
    shown.hidden = false;
    shown.style.left = `${100 * mark.x}%`;
    shown.style.top = `${100 * mark.y}%`;
    say("Marked. Press D or Defect to call it here.");
  }

  function send(said) {
    if (!asking()) return;
    sent = true;
    play().dispatchEvent(new CustomEvent("call", { detail: { said, call, x: mark?.x ?? null, y: mark?.y ?? null } }));
  }

  function defect() {
    if (!asking()) return;
    if (mark || armed) { send("defect"); return; }
    armed = true;
    play().dataset.armed = "yes";
    say("Now click where it is, or press D again to leave the place out.");
  }

  document.addEventListener("click", (event) => {
    const action = event.target.closest?.("[data-arena]")?.dataset.arena;
    if (action === "normal") send("normal");
    if (action === "defect") defect();
    const photo = event.target.closest?.(".aos-arena-photo");
    if (!photo || !asking()) return;
    const box = photo.getBoundingClientRect();
    place((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    if (armed) send("defect");
  });

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function questionKey(event, onControl) {
    const key = event.key;
    if (key in ARROWS) {
      const [dx, dy] = ARROWS[key];
      const step = event.shiftKey ? 4 * STEP : STEP;
      if (mark) place(mark.x + dx * step, mark.y + dy * step); else place(0.5, 0.5);
      return true;
    }
    if (event.repeat) return false;
    if (/^[nf]$/i.test(key)) { send("normal"); return true; }
    if (/^d$/i.test(key)) { defect(); return true; }
    if (key === "Enter" && !onControl && (mark || armed)) { send("defect"); return true; }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    const page = play();
    if (!page || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector(".aos-help.open, .q-menu, .q-dialog, dialog[open]")) return;
    const onControl = event.target.closest?.("a, button, input, select, textarea");
    const goes = event.key === "Enter" || event.key === " ";
    let done = false;
    if (page.dataset.state === "question") done = questionKey(event, onControl);
    else if (goes && !onControl && part("next") && !event.repeat) { part("next").click(); done = true; }
    // a key that is held down must not answer or go on by itself
    if (goes && event.repeat) done = true;
    if (done) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);
})();
