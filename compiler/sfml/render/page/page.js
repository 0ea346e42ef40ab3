"use strict";
// Only reads and marks what stands in the page; it makes no elements and knows no names.
const LEAST = 0.5; // the smallest scale at which names can be read: a graph that fits at it opens whole
const READABLE = 0.75; // the scale at which a larger one opens, at its first change
for (const section of document.querySelectorAll("section")) {
  const view = section.querySelector(".view");
  const picture = view.querySelector("svg");
  const cards = [...picture.querySelectorAll("a.card")];
  const tasks = [...section.querySelectorAll("details.task")];
  const find = section.querySelector("input[type=search]");
  const only = section.querySelector(".only");
  const found = section.querySelector(".found");
  const size = { width: picture.viewBox.baseVal.width, height: picture.viewBox.baseVal.height };
  const said = found.textContent;
  let scale = 1;
  let fitted = false;

  // -- zoom: the picture gets larger, and the view scrolls
  function zoom(to, x = view.clientWidth / 2, y = view.clientHeight / 2) {
    const before = scale;
    const [left, top] = [(view.scrollLeft + x) / before, (view.scrollTop + y) / before];
    scale = Math.min(3, Math.max(0.05, to));
    picture.setAttribute("width", size.width * scale);
    picture.setAttribute("height", size.height * scale);
    picture.classList.toggle("far", scale < 0.55);
    view.scrollTo(left * scale - x, top * scale - y);
  }
  const fit = () => Math.min(view.clientWidth / size.width, view.clientHeight / size.height, 1.25);
  function begin() {
    if (fitted || !view.clientWidth) return;
    fitted = true;
    zoom(fit() >= LEAST ? fit() : READABLE);
    view.scrollTo(0, 0);
    const first = picture.querySelector(".card.create, .card.alter, .card.replace, .card.move, .card.drop") || cards[0];
    if (first) center(first);
  }
  function center(card) {
    const [a, b] = [card.getBoundingClientRect(), view.getBoundingClientRect()];
    view.scrollBy(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
  }
  for (const button of section.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      const by = { in: scale * 1.3, out: scale / 1.3, fit: fit() };
      zoom(by[button.dataset.zoom]);
    });
  }
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = view.getBoundingClientRect();
    zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - box.x, event.clientY - box.y);
  }, { passive: false });

  // -- pan: by dragging; keys and wheels scroll the view by themselves
  let grip = null;
  let moved = false;
  view.addEventListener("pointerdown", (event) => {
    moved = false;
    if (event.button === 0 && event.pointerType === "mouse") grip = { x: event.clientX, y: event.clientY };
  });
  window.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [x, y] = [grip.x - event.clientX, grip.y - event.clientY];
    if (!moved && Math.hypot(x, y) < 4) return;
    moved = true;
    view.classList.add("dragged");
    view.scrollBy(x, y);
    grip = { x: event.clientX, y: event.clientY };
  });
  window.addEventListener("pointerup", () => {
    grip = null;
    view.classList.remove("dragged");
  });
  view.addEventListener("dragstart", (event) => event.preventDefault());

  // -- open a task
  function open(at) {
    tasks[at].open = true;
    cards.forEach((card, other) => card.classList.toggle("opened", other === at));
    const summary = tasks[at].querySelector("summary");
    tasks[at].scrollIntoView({ block: "start" });
    summary.focus({ preventScroll: true });
  }
  cards.forEach((card, at) => {
    card.addEventListener("click", (event) => {
      event.preventDefault();
      if (!moved) open(at);
    });
    card.addEventListener("focus", () => walk(card));
  });
  tasks.forEach((task, at) => {
    task.addEventListener("keydown", (event) => {
      if (event.key === "Escape") show(at);
    });
    for (const link of task.querySelectorAll(".body a")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const [, kind, number] = link.getAttribute("href").match(/-([nt])(\d+)$/);
        if (kind === "n") show(Number(number));
        else open(Number(number));
      });
    }
  });
  function show(at) {
    center(cards[at]);
    cards[at].focus({ preventScroll: true });
  }

  // -- one stop for the Tab key; arrows go from card to card
  function walk(card) {
    for (const other of cards) other.setAttribute("tabindex", other === card ? "0" : "-1");
  }
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  picture.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    const here = event.target.closest("a.card");
    if (!way || !here) return;
    event.preventDefault();
    const middle = (card) => {
      const box = card.querySelector(".box").getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [x, y] = middle(here);
    let best = null;
    for (const card of cards) {
      if (card === here || card.classList.contains("dim")) continue;
      const [a, b] = middle(card);
      const ahead = (a - x) * way[0] + (b - y) * way[1];
      const aside = Math.abs((a - x) * way[1]) + Math.abs((b - y) * way[0]);
      if (ahead > 2 && (!best || ahead + 3 * aside < best.far)) best = { card, far: ahead + 3 * aside };
    }
    if (best) {
      best.card.focus({ preventScroll: true });
      center(best.card);
    }
  });
  if (cards.length) walk(cards[0]);

  // -- find
  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const marked = only ? only.checked : false;
    let count = 0;
    tasks.forEach((task, at) => {
      const fits = words.every((word) => task.dataset.find.includes(word)) && (!marked || task.classList.length > 1);
      task.hidden = !fits;
      cards[at].classList.toggle("dim", !fits);
      if (fits) count += 1;
    });
    const all = !words.length && !marked;
    picture.classList.toggle("filtered", !all);
    found.textContent = all ? said : `${count} of ${tasks.length} found`;
  }
  find.addEventListener("input", filter);
  if (only) only.addEventListener("change", filter);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      find.value = "";
      filter();
    }
    const at = tasks.findIndex((task) => !task.hidden);
    if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      center(cards[at]);
      open(at);
    }
  });
  section.addEventListener("sfml:shown", begin);
}

// -- next runs: the moments whose local time fits the cron. Clocks are changed at quarters of an hour, so these are
// looked at one by one; on a day that does not fit, two hours before its end are left for such a change.
const QUARTER = 900_000;
function nextRuns(fields, zone, count) {
  const [minutes, hours, days, months, weekdays] = fields.map((field) => field.split(","));
  const any = (list) => list[0] === "*";
  const has = (list, value) => any(list) || list.includes(String(value));
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
  });
  function fitsDay(year, month, day) {
    const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
    const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
    const isDay = has(days, day) || (days.includes("L") && day === last);
    const isWeekday = has(weekdays, weekday) || (weekdays.includes(`${weekday}L`) && day + 7 > last);
    const fits = any(days) || any(weekdays) ? isDay && isWeekday : isDay || isWeekday;
    return has(months, month) && fits;
  }
  const runs = [];
  const now = Date.now();
  for (let at = Math.floor(now / QUARTER) * QUARTER; runs.length < count && at < now + 13 * 366 * 96 * QUARTER; ) {
    const local = {};
    for (const part of clock.formatToParts(at)) local[part.type] = Number(part.value);
    if (!fitsDay(local.year, local.month, local.day)) {
      at += Math.max(1, 4 * (22 - local.hour)) * QUARTER;
      continue;
    }
    for (let more = 0; more < 15; more += 1) {
      const run = at + more * 60_000;
      if (run > now && has(hours, local.hour) && has(minutes, local.minute + more)) runs.push(run);
    }
    at += QUARTER;
  }
  return runs.slice(0, count);
}
for (const place of document.querySelectorAll("[data-cron]")) {
  const { cron, zone, next } = place.dataset;
  const words = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
  });
  const runs = nextRuns(cron.split(" "), zone, Number(next)).map((run) => words.format(run).replace(",", ""));
  if (runs.length) place.textContent = `next ${runs.join(", ")}`;
}

// -- of several graphs, one at a time
const sections = [...document.querySelectorAll("section")];
const links = [...document.querySelectorAll("nav a")];
function choose() {
  const wanted = (location.hash.match(/^#(p\d+)/) || [])[1];
  const shown = sections.find((section) => section.id === wanted) || sections[0];
  for (const section of sections) section.hidden = section !== shown;
  for (const link of links) {
    if (link.getAttribute("href") === `#${shown.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  shown.dispatchEvent(new Event("sfml:shown"));
}
window.addEventListener("hashchange", choose);
if (sections.length) choose();
