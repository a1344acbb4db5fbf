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

/** Send a form and put the answer's elements in their places; the ids of these, or null when it was not kept. */
async function send(form, submitter) {
  const said = new FormData(form, submitter);
  const answer = await fetch(submitter?.getAttribute("formaction") ?? form.getAttribute("action"), {
    method: "POST", body: new URLSearchParams(said), headers: { "X-Part": "1" }, redirect: "error",
  }).catch(() => null);
  if (!answer || !answer.ok) {
    toast(answer?.status === 401 ? ENDED : answer?.status === 403 ? "It was not kept: reload the page and try again."
      : answer ? `It was not kept (${answer.status}).` : "The service does not answer. Nothing was changed.", false);
    return null;
  }
  const note = submitter?.value.startsWith("note") ? form.querySelector("textarea") : null;
  const parts = apply(await answer.text(), note);
  const remarks = answer.headers.get("X-Remarks");
  if (remarks) undone.push(remarks);
  const waiting = answer.headers.get("X-Waiting");
  if (waiting !== null) count(Number(waiting));
  const told = answer.headers.get("X-Said");
  if (told) toast(decodeURIComponent(told), Boolean(remarks));
  return parts;
}

const ENDED = "Your session is over: sign in again.";

/** Put each element of the answer in the place of the one with its id; ``sent``: a note that is kept now. */
function apply(html, sent) {
  const answer = new DOMParser().parseFromString(html, "text/html").body;
  const parts = [...answer.querySelectorAll("[id]")].filter((each) => !each.parentElement.closest("[id]"));
  for (const part of parts) {
    const old = byId(part.id);
    if (old) put(old, part, sent);
  }
  return parts.map((part) => part.id);
}

/** The new element takes over what somebody did to the old one: its focus, its selection, a note not yet sent. */
function put(old, part, sent = null) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const box = old.querySelector(':scope > input[type="checkbox"]');
  if (box?.checked) part.querySelector(':scope > input[type="checkbox"]').checked = true;
  for (const area of old.querySelectorAll("textarea")) {
    const same = part.querySelector(`#${CSS.escape(area.id)}`);
    if (same && area !== sent) same.value = area.value;
  }
  old.replaceWith(part);
  if (focused) {
    const same = focused.dataset.act ? part.querySelector(`[data-act="${focused.dataset.act}"]`)
      : focused.id ? part.querySelector(`#${CSS.escape(focused.id)}`) : null;
    (same ?? part).focus({ preventScroll: true });
  }
  bulk();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !(form.id === "reviewing" || form.hasAttribute("data-part"))) return;
  event.preventDefault();
  send(form, event.submitter).then((parts) => {
    if (parts && event.submitter?.closest("#bulk")) select([]);
  });
});

const sending = new Set();    // places of which a key was sent and not answered yet

/** A button of the row, of the item whose page this is, or of the bulk bar when rows are selected. */
function press(act) {
  if (checked().length) {
    byId("bulk").querySelector(`button[value="${act}"]`)?.click();
    return;
  }
  const row = current(), place = row ?? document.querySelector('[id^="panel-"]');
  if (!place) {
    toast("Choose an item first: j, k.", false);
    return;
  }
  const button = place.querySelector(`button[data-act="${act}"]`);
  if (!button || sending.has(place.id)) return;
  sending.add(place.id);
  if (row && act.startsWith("verdict")) go(1);
  send(button.form, button).then((parts) => {
    sending.delete(place.id);
    if (!parts && row) focusOn(byId(row.id));
  });
}

async function undo() {
  const remarks = undone.pop();
  if (!remarks) {
    toast("Nothing to undo.", false);
    return;
  }
  const form = byId("reviewing"), button = document.createElement("button");
  button.name = "undo";
  button.value = remarks;
  button.setAttribute("formaction", "/review/undo");
  form.append(button);
  const parts = await send(form, button);
  button.remove();
  if (!parts) undone.push(remarks);
  else focusOn(byId(parts.find((id) => id.startsWith("i-")) ?? ""));
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
    if (answer?.status === 401) toast(ENDED, false);
    if (!answer?.ok) continue;
    merge(list, [...new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll(".row")]);
    const waiting = answer.headers.get("X-Waiting");
    if (waiting !== null) count(Number(waiting));
  }
}

const inside = (list, row) => list.querySelector(`#${CSS.escape(row.id)}`);

/** What is new goes above what is here, what was only further down below it. A judged row stays where it was judged. */
function merge(list, fetched) {
  if (list.id === "latest") fetched = fetched.filter((row) => inside(list, row) || !byId(row.id));
  for (const row of fetched) {
    const here = inside(list, row);
    if (here && here.dataset.version !== row.dataset.version && !here.matches(":hover")) put(here, row);
  }
  const known = fetched.map((row) => Boolean(inside(list, row)));
  const first = known.indexOf(true), lastKnown = known.lastIndexOf(true);
  list.coming = first < 0 ? fetched : fetched.slice(0, first);
  list.anew = first < 0 && list.children.length > 0;     // too much has come: what lies between is not here
  if (lastKnown >= 0) list.append(...fetched.slice(lastKnown + 1).filter((row) => !byId(row.id)));
  if (mayMove(list)) arrive(list);
  else pill(list);
}

function arrive(list) {
  const coming = list.coming ?? [];
  if (!coming.length) return pill(list);
  for (const row of coming) {
    const other = byId(row.id);
    if (other) other.remove();         // a watch found what stood in the other list
    row.classList.add("arrived");
  }
  if (list.anew) list.replaceChildren(...coming);
  else list.prepend(...coming);
  list.coming = [];
  list.closest("section")?.querySelector(".empty")?.remove();
  return pill(list);
}

function pill(list) {
  const many = (list.coming ?? []).length, place = byId(`${list.id}-new`);
  if (!place) return;
  place.hidden = !many;
  place.textContent = `${many}${list.anew ? " or more" : ""} new`;
}

document.addEventListener("click", (event) => {
  const place = event.target.closest?.(".pill");
  if (place) arrive(byId(place.id.replace(/-new$/, "")));
});

const title = document.title.replace(/^\(\d+\) /, "");
function count(waiting) {
  const place = byId("waiting");
  if (place) place.textContent = waiting;
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

let live = null;
function listen() {
  live = new EventSource("/live");
  const say = (kind) => { heard(kind); others?.postMessage(kind); };
  for (const kind of ["hello", "filed", "reviewed", "again"]) live.addEventListener(kind, () => say(kind));
  live.addEventListener("error", () => {
    say("cut");
    if (live.readyState === EventSource.CLOSED) setTimeout(listen, 5000 + 5000 * Math.random());
  });
}
addEventListener("pagehide", () => live?.close());

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
  v: () => (current() ?? document.querySelector("article.reading")?.parentElement)?.querySelector("a.outside")?.click(),
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

/** The key by its Latin letter, also where the keyboard writes Hebrew or Arabic. */
function latin(event) {
  if (/^[ -~]$/.test(event.key) || !event.code.startsWith("Key")) return event.key;
  const letter = event.code.slice(3);
  return event.shiftKey ? letter : letter.toLowerCase();
}

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
  const key = latin(event);
  if (event.repeat && key !== "j" && key !== "k") return;
  if (Date.now() - went < 1500 && places[key]) {
    location.href = places[key];
    return;
  }
  if (key === "g") {
    went = Date.now();
    return;
  }
  const done = keys[key];
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
