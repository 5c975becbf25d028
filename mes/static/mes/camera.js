// Codes by the camera. The reader is one WebAssembly file of ours; by itself it would fetch it from
// somewhere else.

const box = document.getElementById("camera");
const video = box.querySelector("video");
const said = box.querySelector("[data-said]");
const texts = JSON.parse(document.getElementById("camera-texts").textContent);
const dialog = document.getElementById("stop");
const LOOK_MS = 200;

dialog.querySelector("[data-stop-close]").addEventListener("click", () => dialog.close());

async function begin() {
  const { BarcodeDetector, prepareZXingModule } = window.BarcodeDetectionAPI;
  prepareZXingModule({ overrides: { locateFile: () => box.dataset.wasm } });
  let stream;
  try {
    const wanted = { video: { facingMode: "environment" } };
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  } catch {
    said.textContent = texts.none;
    return;
  }
  video.srcObject = stream;
  await video.play();
  const formats = ["qr_code", "data_matrix", "code_128", "code_39", "ean_13"];
  look(new BarcodeDetector({ formats }), "");
}

async function look(detector, last) {
  let code = "";
  if (!dialog.open && video.readyState >= 2) {
    const found = await detector.detect(video).catch(() => []);
    code = found[0]?.rawValue ?? "";
    // The same code in sight is one scan.
    if (code && code !== last && (await send(code))) return;
  }
  setTimeout(() => look(detector, code || last), LOOK_MS);
}

// Whether the page is left.
async function send(code) {
  const body = new URLSearchParams({ code, ...box.dataset });
  const answer = await fetch(box.dataset.url, {
    method: "POST",
    headers: { "X-CSRFToken": document.body.dataset.csrf },
    body,
  }).catch(() => null);
  const found = await answer?.json().catch(() => null);
  if (!found) said.textContent = texts.noNetwork;
  else if (found.go) {
    location.assign(found.go);
    return true;
  } else if (found.refused) {
    document.getElementById("stop-title").textContent = found.refused;
    document.getElementById("stop-todo").textContent = found.todo ?? "";
    dialog.showModal();
  } else said.textContent = found.said ?? found.serial ?? "";
  return false;
}

addEventListener("load", begin);
