/* The page's own behaviour: keys, reviews without a reload, arrivals that never move what you read.
   Everything it does to data goes through the same forms that work without it. */
"use strict";

const rows = () => [...document.querySelectorAll(".row")];
const byId = (id) => document.getElementById(id);
const undone = [];            // remarks that can be taken back, the last one last
let last = null;              // id of the row that had the focus last
let pointed = null;           // the list that the pointer is over

// ---------------------------------------------------------------- moving

const current = () => document.activeElement?.closest?.(".row") ?? (last && byId(last)) ?? null;

function focusOn(row) {
  if (!row) return;
  last = row.id;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function go(step) {
  const all = rows(), at = all.indexOf(current());
  if (all.length) focusOn(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))]);
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(".row");
  if (row) last = row.id;
});

// ---------------------------------------------------------------- sending forms

async function send(form, submitter) {
  const said = new FormData(form, submitter);
  const answer = await fetch(submitter?.getAttribute("formaction") ?? form.getAttribute("action"), {
    method: "POST", body: new URLSearchParams(said), headers: { "X-Part": "1" }, redirect: "error",
  }).catch(() => null);
  if (!answer || !answer.ok) {
    const why = answer?.status === 401 ? "Your session is over: sign in again."
      : answer ? `It was not kept (${answer.status}).` : "The service does not answer. Nothing was changed.";
    toast(why, false);
    return false;
  }
  apply(await answer.text());
  const remarks = answer.headers.get("X-Remarks");
  if (remarks) undone.push(remarks);
  const waiting = answer.headers.get("X-Waiting");
  if (waiting !== null) count(Number(waiting));
  const told = answer.headers.get("X-Said");
  if (told) toast(decodeURIComponent(told), Boolean(remarks));
  return true;
}

/** Put each element of the answer in the place of the one with its id. */
function apply(html) {
  const parts = new DOMParser().parseFromString(html, "text/html").body;
  for (const part of [...parts.querySelectorAll("[id]")].filter((each) => !each.parentElement.closest("[id]"))) {
    const old = byId(part.id);
    if (old) swap(old, part);
  }
}

function swap(old, part) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const value = focused?.getAttribute("value");
  old.replaceWith(part);
  if (!focused) return;
  const same = value && [...part.querySelectorAll("button")].find((each) => each.value === value);
  (focused.matches(".row") || !same ? part : same).focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !(form.id === "reviewing" || form.hasAttribute("data-part"))) return;
  event.preventDefault();
  send(form, event.submitter).then((good) => {
    if (good && event.submitter?.closest("#bulk")) select([]);
    if (good && form.hasAttribute("data-clear")) form.reset();
  });
});

/** A button of the row, or the bulk bar's when rows are selected. */
function press(act) {
  const chosen = checked();
  const row = current();
  if (chosen.length) {
    byId("bulk").querySelector(`button[value="${act}"]`)?.click();
    return;
  }
  const [kind, value] = act.split(":");
  const button = (row ?? document).querySelector(`button[data-act="${kind}:${value}"]`);
  if (!button) return;
  send(button.form, button).then((good) => {
    if (!good || !row || kind !== "verdict") return;
    const all = rows(), at = all.findIndex((each) => each.id === row.id);
    focusOn(all[Math.min(all.length - 1, at + 1)]);
  });
}

async function undo() {
  const remarks = undone.pop();
  if (!remarks) return toast("Nothing to undo.", false);
  const form = byId("reviewing"), button = document.createElement("button");
  button.name = "undo";
  button.value = remarks;
  button.setAttribute("formaction", "/review/undo");
  form.append(button);
  const said = await send(form, button);
  button.remove();
  if (!said) undone.push(remarks);
}

let leaving = 0;
function toast(text, undoable) {
  const place = byId("toast");
  place.textContent = text;
  if (undoable) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Undo";
    button.addEventListener("click", undo);
    place.append(" ", button);
  }
  clearTimeout(leaving);
  leaving = setTimeout(() => place.replaceChildren(), 8000);
}

// ---------------------------------------------------------------- selecting

const boxes = () => [...document.querySelectorAll('.row input[name="item"]')];
const checked = () => boxes().filter((box) => box.checked);

function select(chosen) {
  for (const box of boxes()) box.checked = chosen.includes(box);
  bulk();
}

function bulk() {
  const many = checked().length;
  byId("bulk").hidden = !many;
  byId("bulk-count").textContent = `${many} selected`;
}

document.addEventListener("change", (event) => {
  if (event.target.matches('.row input[name="item"]')) bulk();
  else if (event.target.closest("form.filters")) event.target.form.requestSubmit();
});

// ---------------------------------------------------------------- arriving

const lists = () => [...document.querySelectorAll("ol[data-source]")];

function mayMove(list) {
  const away = list.getBoundingClientRect().top < 0;
  return !away && pointed !== list && !list.contains(document.activeElement) && !checked().length;
}

document.addEventListener("pointerover", (event) => {
  pointed = event.target.closest?.("ol[data-source]") ?? null;
});

async function refresh() {
  for (const list of lists()) {
    const answer = await fetch(list.dataset.source, { headers: { "X-Part": "1" } }).catch(() => null);
    if (!answer?.ok) continue;
    merge(list, new DOMParser().parseFromString(await answer.text(), "text/html"));
    const waiting = answer.headers.get("X-Waiting");
    if (waiting !== null) count(Number(waiting));
  }
}

function merge(list, fetched) {
  const coming = [];
  for (const row of fetched.querySelectorAll(".row")) {
    const here = byId(row.id);
    if (!here) coming.push(row);
    else if (here.dataset.version !== row.dataset.version && !here.matches(":focus-within, :hover")) here.replaceWith(row);
  }
  list.coming = coming;
  if (mayMove(list)) arrive(list);
  else pill(list);
}

function arrive(list) {
  const coming = (list.coming ?? []).filter((row) => !byId(row.id));
  for (const row of coming) row.classList.add("arrived");
  list.prepend(...coming);
  list.coming = [];
  list.closest("section")?.querySelector(".empty")?.remove();
  pill(list);
}

function pill(list) {
  const many = (list.coming ?? []).length, place = byId(`${list.id}-new`);
  if (!place) return;
  place.hidden = !many;
  place.textContent = `${many} new`;
}

document.addEventListener("click", (event) => {
  const place = event.target.closest?.(".pill");
  if (place) arrive(byId(place.id.replace(/-new$/, "")));
});

const title = document.title.replace(/^\(\d+\) /, "");
function count(waiting) {
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

let soon = 0;
function again() {
  clearTimeout(soon);
  soon = setTimeout(refresh, 150);
}

/* One tab listens for all tabs of a browser, which opens only six connections to a host. */
const others = "BroadcastChannel" in window ? new BroadcastChannel("live") : null;

function heard(kind) {
  document.body.classList.toggle("cut-off", kind === "cut");
  if (kind !== "cut") again();        // also when it greets: something may have come before it listened
}

function listen() {
  const live = new EventSource("/live");
  const say = (kind) => { heard(kind); others?.postMessage(kind); };
  for (const kind of ["hello", "filed", "reviewed", "again"]) live.addEventListener(kind, () => say(kind));
  live.addEventListener("error", () => say("cut"));
  addEventListener("pagehide", () => live.close());
}

if (lists().length) {
  if (others && navigator.locks) {
    others.addEventListener("message", (event) => heard(event.data));
    navigator.locks.request("live", () => { listen(); return new Promise(() => {}); });
  } else listen();
}

// ---------------------------------------------------------------- times

const ahead = Date.parse(document.body.dataset.now) - Date.now();
function relative(then) {
  const away = Math.abs(then - Date.now() - ahead) / 60000;
  const past = then < Date.now() + ahead;
  if (away < 1) return "now";
  const size = away < 60 ? `${Math.floor(away)} min` : away < 2880 ? `${Math.floor(away / 60)} h` : `${Math.floor(away / 1440)} days`;
  return past ? `${size} ago` : `in ${size}`;
}
setInterval(() => {
  for (const time of document.querySelectorAll("time.ago")) time.textContent = relative(Date.parse(time.dateTime));
}, 30000);

// ---------------------------------------------------------------- keys

const places = { n: "/", i: "/items", s: "/stories", a: "/alerts", w: "/watches", o: "/sources" };
const keys = {
  j: () => go(1), k: () => go(-1),
  o: () => current()?.querySelector(".headline a")?.click(),
  v: () => (current() ?? document).querySelector("a.outside")?.click(),
  r: () => press("verdict:relevant"), n: () => press("verdict:noise"), l: () => press("verdict:later"), s: () => press("star:yes"),
  m: () => { const note = byId("note"); if (note) note.focus(); else { const link = current()?.querySelector(".headline a"); if (link) location.href = `${link.getAttribute("href")}#note`; } },
  u: undo,
  x: () => { const box = current()?.querySelector('input[name="item"]'); if (box) { box.checked = !box.checked; bulk(); } },
  X: () => select(boxes()),
  ".": () => lists().forEach(arrive),
  c: () => byId("caught-up")?.requestSubmit(),
  "/": () => byId("find").focus(),
  "?": () => byId("help").showModal(),
};
let went = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (document.activeElement?.matches("input, textarea, select")) document.activeElement.blur();
    else if (!byId("help").open) select([]);
    return;
  }
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select") || byId("help").open) return;
  if (event.key === "Enter") {
    if (event.target.matches?.(".row")) keys.o();
    return;
  }
  if (Date.now() - went < 1500 && places[event.key]) { location.href = places[event.key]; return; }
  if (event.key === "g") { went = Date.now(); return; }
  const done = keys[event.key];
  if (!done) return;
  event.preventDefault();
  done();
});

byId("keys").hidden = false;
byId("keys").addEventListener("click", keys["?"]);
byId("bulk-all").addEventListener("click", keys.X);
byId("bulk-none").addEventListener("click", () => select([]));
if (location.hash === "#note") byId("note")?.focus();
const opened = location.hash.startsWith("#i-") ? byId(location.hash.slice(1)) : null;
if (opened) focusOn(opened);
