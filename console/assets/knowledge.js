// Knowledge base: the search field by key, results by arrows, back and forward on the map.
(() => {
  const field = () => document.querySelector(".aos-kb-ask input");
  const results = () => [...document.querySelectorAll("a.aos-kb-hit")];
  const here = () => location.pathname === "/knowledge" || location.pathname.startsWith("/knowledge/");
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");
  const covered = () => document.querySelector(".q-menu, .q-dialog, dialog[open], .aos-help.open");

  document.addEventListener("keydown", (event) => {
    if (!here() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || covered()) return;
    if (event.key === "/" && !typing(event.target)) {
      event.preventDefault();
      if (field()) field().select();
      else location.assign("/knowledge");
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const inField = event.target === field();
    const at = results().indexOf(event.target.closest?.("a.aos-kb-hit"));
    if (!inField && at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    if (next < 0) field()?.focus();
    else results()[Math.min(next, results().length - 1)]?.focus();
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-kb-pick]")) document.querySelector(".aos-kb-upload input[type=file]")?.click();
  });

  // the map redraws whatever was chosen: the keyboard stays where it was
  let chosen = null;
  document.addEventListener("click", (event) => {
    const element = event.target.closest?.("[data-node], [data-row]");
    chosen = element ? (element.dataset.node ? `[data-node="${CSS.escape(element.dataset.node)}"]` : `[data-row="${CSS.escape(element.dataset.row)}"]`) : null;
  }, true);
  const refocus = () => { if (chosen) document.querySelector(chosen)?.focus({ preventScroll: true }); };

  addEventListener("popstate", () => {
    if (location.pathname === "/knowledge/graph") emitEvent("kb-address", location.search);
  });

  window.aosKnowledge = {
    // the server's elements arrive a moment before they are in the page
    drawn: () => requestAnimationFrame(() => requestAnimationFrame(refocus)),
  };
})();
