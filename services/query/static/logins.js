// Logging in, registering a key and locking. No library, and nothing that the page's policy (script-src 'self';
// connect-src 'self') doesn't allow.
"use strict";

const IDLE_MS = 15 * 60 * 1000;

function said(text) {
  for (const line of document.querySelectorAll("[role=status]")) line.textContent = text;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const read = answer.status === 204 ? null : await answer.json();
  if (answer.ok) return read;
  const fields = (read.errors || []).map((one) => `${one.field}: ${one.problem}`).join("; ");
  throw new Error(fields || read.detail);
}

async function trying(button, work) {
  button.disabled = true;
  said("");
  try {
    await work();
  } catch (error) {
    said(error.name === "NotAllowedError" ? "The key wasn't used: try again." : error.message);
  } finally {
    button.disabled = false;
  }
}

function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = form.dataset.confirm;
    if (!question || confirm(question)) trying(form.querySelector("button:not([type=button])"), work);
  });
}

// Passkeys

async function logInByPasskey() {
  const options = await post("/api/login/passkey/options");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey });
  return post("/api/login/passkey", { credential: credential.toJSON() });
}

function goOn(who) {
  sessionStorage.setItem("account", who.account);
  const back = new URL(new URLSearchParams(location.search).get("back") || "/", location.origin);
  location.replace(back.origin === location.origin ? back.pathname : "/");
}

function onLoginPage() {
  const passkey = document.getElementById("passkey");
  passkey.addEventListener("click", () => trying(passkey, async () => goOn(await logInByPasskey())));
  const form = document.getElementById("break-glass");
  onSubmit(form, async () =>
    goOn(await post("/api/login/break-glass", Object.fromEntries(new FormData(form)))));
}

function onEnrolmentPage(form) {
  const [account, token] = decodeURIComponent(location.pathname.split("/").pop()).split(".");
  onSubmit(form, async () => {
    const options = await post("/api/enrol/options", { account, token });
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    const made = await navigator.credentials.create({ publicKey });
    const label = new FormData(form).get("label");
    await post("/api/enrol/passkey", { account, token, label, credential: made.toJSON() });
    location.replace("/login");
  });
}

// Locking: the page stays as it is behind the lock, so that nothing half-written is lost.

const otherTabs = new BroadcastChannel("passage-lock");
const title = document.title;

function showLock() {
  if (document.getElementById("lock").open) return;
  document.body.classList.add("locked");
  document.title = "Locked - Passage";
  document.getElementById("lock").showModal();
}

function hideLock() {
  document.body.classList.remove("locked");
  document.title = title;
  document.getElementById("lock").close();
}

async function lock() {
  showLock();
  otherTabs.postMessage("locked");
  // Idle or ended, it lets nobody in either.
  await fetch("/api/session/lock", { method: "POST" }).catch(() => {});
}

async function unlock() {
  const who = await logInByPasskey();
  const before = sessionStorage.getItem("account");
  sessionStorage.setItem("account", who.account);
  otherTabs.postMessage(`unlocked ${who.account}`);
  if (who.account !== before) return location.replace("/");
  said("");
  hideLock();
}

function isTyping(target) {
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
}

function watchForIdleness() {
  let timer = setTimeout(lock, IDLE_MS);
  for (const name of ["pointerdown", "keydown", "scroll"]) {
    document.addEventListener(name, () => {
      clearTimeout(timer);
      timer = setTimeout(lock, IDLE_MS);
    }, { passive: true, capture: true });
  }
}

function onPageOfASession() {
  const dialog = document.getElementById("lock");
  const button = document.getElementById("unlock");
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  button.addEventListener("click", () => trying(button, unlock));
  document.getElementById("lock-now").addEventListener("click", lock);
  document.getElementById("log-out").addEventListener("click", async () => {
    await fetch("/api/session/end", { method: "POST" });
    sessionStorage.clear();
    location.replace("/login");
  });
  // By the key's place: keyboards differ, and a Cyrillic one has no L there.
  document.addEventListener("keydown", (event) => {
    const plain = event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (plain && event.code === "KeyL" && !isTyping(event.target)) lock();
  });
  otherTabs.addEventListener("message", ({ data }) => {
    if (data === "locked") return showLock();
    const isOurs = data === `unlocked ${sessionStorage.getItem("account")}`;
    if (isOurs) hideLock(); else location.replace("/");
  });
  watchForIdleness();
}

if (document.getElementById("passkey")) onLoginPage();
if (document.getElementById("enrolment")) onEnrolmentPage(document.getElementById("enrolment"));
if (document.getElementById("lock")) onPageOfASession();
