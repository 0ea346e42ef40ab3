"use strict";
// Looks again at what goes on, and puts what has changed in its place. The page is whole without it.
const every = Number(document.documentElement.dataset.every || 0) * 1000;
let tag = "";
let failures = 0;

// The token stands in the address once; then the cookie has its place.
if (new URLSearchParams(location.search).has("token")) {
  const address = new URL(location.href);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.matches("pre.log") && fresh.matches("pre.log")) return follow(old, fresh);
  if (old.tagName === "DETAILS") fresh.open = old.open;
  const [before, after] = [[...old.children], [...fresh.children]];
  const same = before.length && before.length === after.length
    && before.every((child, at) => child.id && child.id === after[at].id);
  if (!same) return replace(old, fresh);
  for (const name of [...old.getAttributeNames()]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const name of fresh.getAttributeNames()) old.setAttribute(name, fresh.getAttribute(name));
  before.forEach((child, at) => renew(child, after[at]));
}

function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const hrefs = focused && focused.getAttribute("href");
  old.replaceWith(document.adoptNode(fresh));
  if (!focused) return;
  const again = (focused.id && document.getElementById(focused.id))
    || [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === hrefs);
  if (again) again.focus({ preventScroll: true });
}

// A log that is read at its end stays at its end.
function follow(old, fresh) {
  const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 8;
  const [before, now] = [old.textContent, fresh.textContent];
  if (now.startsWith(before)) old.append(now.slice(before.length));
  else old.textContent = now;
  if (atEnd) old.scrollTop = old.scrollHeight;
}

async function look() {
  const answer = await fetch(location.href, { headers: { "X-Live": tag || "?" }, cache: "no-store", redirect: "error" });
  if (answer.status === 204) return true;
  if (!answer.ok) throw new Error(String(answer.status));
  tag = answer.headers.get("X-Live") || "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old) renew(old, part);
  }
  return !fresh.querySelector("[data-over]");
}

async function watch() {
  const lost = document.getElementById("lost");
  let goes = true;
  if (!document.hidden) {
    try {
      goes = await look();
      failures = 0;
    } catch {
      failures += 1;
    }
    lost.hidden = failures < 2;
  }
  if (goes) setTimeout(watch, every * Math.min(1 + failures, 10));
}

for (const log of document.querySelectorAll("pre.log")) log.scrollTop = log.scrollHeight;
if (every) {
  setTimeout(watch, every);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look().catch(() => {}); });
}
