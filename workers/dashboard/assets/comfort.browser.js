// Comfort only: every page works without it. Values under the pointer, buttons that copy, a word while a page is on its way,
// and pages that ask for it are loaded again.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

function show(target, x, y) {
  tip.textContent = target.dataset.tip;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - width - 4))}px`;
  tip.style.top = `${y - height - 12 < 4 ? y + 16 : y - height - 12}px`;
}

document.addEventListener("pointermove", (event) => {
  const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
  if (target === null) tip.hidden = true;
  else show(target, event.clientX, event.clientY);
});

// The browser's own tooltip would cover ours.
for (const title of document.querySelectorAll("[data-tip] > title")) title.remove();

// Choosing an order sorts at once: the button is for pages without scripts.
for (const button of document.querySelectorAll("form.sort button")) button.hidden = true;
for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form?.requestSubmit());
}

// Beside each text that is there to be copied, a button that does it; the exact text is in the attribute, else the element's.
const COPIED_MS = 2000;
const said = document.createElement("div");
said.className = "hidden-label";
said.role = "status";

async function copy(text) {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  // A page over plain http has no clipboard: the browser's older way.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("not copied");
}

for (const source of document.querySelectorAll("[data-copy]")) {
  if (!said.isConnected) document.body.append(said);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  if (source.title !== "") button.setAttribute("aria-label", `Copy: ${source.title}`);
  button.addEventListener("click", async () => {
    try {
      await copy(source.dataset.copy || source.textContent.trim());
      button.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(source);
      button.textContent = "Press Ctrl+C";
    }
    said.textContent = button.textContent;
    setTimeout(() => {
      button.textContent = "Copy";
      said.textContent = "";
    }, COPIED_MS);
  });
  source.after(button);
}

// A page that takes a while says that it is on its way. Files are downloaded: the page stays.
const LOADING_AFTER_MS = 400;
const loading = document.createElement("div");
loading.className = "loading";
loading.role = "status";
let waiting = 0;

function startWaiting() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    loading.textContent = "Loading …";
    document.body.append(loading);
  }, LOADING_AFTER_MS);
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (link === null || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const isFile = link.pathname.endsWith("/raw") || new URLSearchParams(link.search).has("export");
  const isHere = link.hash !== "" && link.pathname + link.search === location.pathname + location.search;
  if (!isFile && !isHere) startWaiting();
});
document.addEventListener("submit", startWaiting);
// Also when the browser shows this page again from its memory.
addEventListener("pageshow", () => {
  clearTimeout(waiting);
  loading.remove();
});

const refreshSeconds = Number(document.body.dataset.refresh ?? "0");
if (refreshSeconds > 0) {
  setInterval(() => {
    // Not while somebody is reading a hidden tab, or typing.
    if (!document.hidden && !document.activeElement?.matches("input, textarea, select")) location.reload();
  }, refreshSeconds * 1000);
}
