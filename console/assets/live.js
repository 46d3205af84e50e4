// The camera: preview, choice among cameras, one frame into the uploader. The words come with the page.
(() => {
  const dialog = () => document.querySelector("dialog.aos-camera");
  const part = (name) => dialog()?.querySelector(`[data-cam="${name}"]`);
  const words = () => JSON.parse(dialog().dataset.words);
  let stream = null;
  let turn = 0;   // a camera that answers after the person moved on is switched off again
  let taken = 0;
  let picture = "";

  const say = (name, n) => { part("status").textContent = (words()[name] ?? words().other).replace("{n}", n); };
  const remembered = () => { try { return localStorage.getItem("aos-camera"); } catch { return null; } };
  const remember = (id) => { try { localStorage.setItem("aos-camera", id); } catch { /* private mode */ } };

  function stop() {
    turn += 1;
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    if (part("video")) part("video").srcObject = null;
  }

  function show(ready) {
    dialog().classList.toggle("ready", ready);
    part("take").disabled = !ready;
  }

  function ask(id) {
    const size = { width: { ideal: 1920 }, height: { ideal: 1080 } };
    const which = id ? { deviceId: { exact: id } } : { facingMode: "environment" };
    return navigator.mediaDevices.getUserMedia({ audio: false, video: { ...size, ...which } });
  }

  async function start(id) {
    stop();
    const mine = turn;
    show(false);
    part("retry").hidden = true;
    say("asking");
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw { name: "insecure" };
      let got;
      try {
        got = await ask(id);
      } catch (error) {
        if (!id || error.name !== "OverconstrainedError") throw error;
        got = await ask(null);  // the remembered camera is not there any more
      }
      if (mine !== turn || !dialog()?.open) { got.getTracks().forEach((track) => track.stop()); return; }
      stream = got;
      const track = stream.getVideoTracks()[0];
      track.addEventListener("ended", () => { if (stream === got) fail("ended"); });
      const video = part("video");
      video.srcObject = stream;
      await video.play();
      await list(track.getSettings().deviceId);
      if (mine !== turn) return;
      show(true);
      say("ready");
      part("take").focus();
    } catch (error) {
      if (mine === turn && dialog()?.open) fail(error.name);
    }
  }

  function fail(name) {
    stop();
    show(false);
    say(name);
    part("retry").hidden = name === "insecure";
    if (name !== "insecure") part("retry").focus();
  }

  async function list(current) {
    const found = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
    const options = found.map((device, index) =>
      new Option(device.label || `Camera ${index + 1}`, device.deviceId, false, device.deviceId === current));
    part("cameras").replaceChildren(...options);
    part("choice").hidden = found.length < 2;
  }

  function take() {
    const video = part("video");
    if (!stream || !video.videoWidth) return;
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    const clock = new Date();
    const stamp = [clock.getHours(), clock.getMinutes(), clock.getSeconds()].map((n) => String(n).padStart(2, "0")).join("-");
    canvas.toBlob((blob) => {
      if (!blob || !dialog()) return;
      upload(new File([blob], `camera ${stamp}.png`, { type: "image/png" }));
      taken += 1;
      say("sent", taken);
      URL.revokeObjectURL(picture);
      picture = URL.createObjectURL(blob);
      Object.assign(part("last"), { src: picture, hidden: false });
      dialog().classList.remove("flash");
      void dialog().offsetWidth;  // so that the flash starts anew
      dialog().classList.add("flash");
    }, "image/png");
  }

  function uploader() {
    const id = document.querySelector(".aos-uploader")?.id.replace(/^c/, "");
    return id ? getElement(Number(id))?.$refs.qRef : null;
  }
  const upload = (file) => uploader()?.addFiles([file]);
  // what has reached the server is inspected anyway; what has not would be lost with the page
  addEventListener("beforeunload", (event) => { if (uploader()?.isUploading) event.preventDefault(); });

  function open() {
    if (!dialog() || dialog().open) return;
    taken = 0;
    part("last").hidden = true;
    dialog().showModal();
    start(remembered());
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-cam-open]");
    if (opener && opener.getAttribute("aria-disabled") !== "true") open();
    const name = event.target.closest?.("dialog.aos-camera [data-cam]")?.dataset.cam;
    if (name === "close") dialog().close();
    if (name === "take") take();
    if (name === "retry") start(remembered());
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-cam=cameras]")) return;
    remember(event.target.value);
    start(event.target.value);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.repeat || !dialog()?.open || event.target.closest?.("button, select")) return;
    event.preventDefault();
    take();
  });
  // "close" does not bubble, so it is caught on its way down
  document.addEventListener("close", (event) => { if (event.target === dialog()) stop(); }, true);
  addEventListener("pagehide", stop);
  navigator.mediaDevices?.addEventListener?.("devicechange", () => {
    if (stream) list(stream.getVideoTracks()[0]?.getSettings().deviceId);
  });
})();
