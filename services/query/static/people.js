// Forms of people's pages: data-command names a command, data-about its log, data-post an address;
// with data-signed the command is signed with the passkey of whoever gives it.
"use strict";

function onForm(form) {
  onSubmit(form, async () => {
    await send(form);
    location.reload();
  });
}

async function send(form) {
  const { command, about, post: address } = form.dataset;
  if (address) return post(address);
  const fields = Object.fromEntries(new FormData(form));
  if (fields.through) fields.through = Number(fields.through);
  return give(command, { case_id: about, ...fields }, "signed" in form.dataset);
}

async function give(command, body, isSigned) {
  if (!isSigned) return post(`/api/commands/${command}`, body);
  // What may be personal is signed as a digest, which the salt keeps from being guessed.
  const salted = { ...body, salt: randomText(16) };
  const asked = await post("/api/signing", { command, body: salted });
  const signature = await signed(asked.person, asked.canonical, asked.options);
  const whole = { ...salted, command_id: asked.command_id };
  if (asked.people < 2) return post(`/api/commands/${command}`, { ...whole, signatures: [signature] });
  await post("/api/commands/ProposeDecision", {
    case_id: `DECISION-${crypto.randomUUID()}`,
    act: command,
    about: body.case_id,
    command: JSON.stringify({ ...whole, by: asked.person }),
    signature,
  });
  throw new Waiting("Signed. It waits for a second person's signature.");
}

class Waiting extends Error {}

async function signed(person, canonical, options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const { id, response } = (await navigator.credentials.get({ publicKey })).toJSON();
  return {
    person,
    canonical,
    kind: "passkey",
    key_id: id,
    signature: response.signature,
    authenticator_data: response.authenticatorData,
    client_data: response.clientDataJSON,
  };
}

// What somebody else signed is shown first; the second press signs exactly that.
function onAgreement(form) {
  const address = `/api/decisions/${form.dataset.decision}`;
  const shown = form.querySelector("pre");
  const button = form.querySelector("button");
  let isShown = false;
  onSubmit(form, async () => {
    const { command, canonical, challenge, key_ids: ids } = await post(`${address}/open`);
    if (!isShown) {
      shown.textContent = JSON.stringify(command, null, 2);
      shown.hidden = false;
      button.textContent = "Sign it, too";
      isShown = true;
      return;
    }
    const allowCredentials = ids.map((id) => ({ id, type: "public-key" }));
    const options = { challenge, allowCredentials, rpId: location.hostname, userVerification: "required" };
    const signature = await signed(sessionStorage.getItem("account"), canonical, options);
    await post(`${address}/agree`, { signature });
    location.reload();
  });
}

function randomText(size) {
  const bytes = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(size)));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function hashOf(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (one) => one.toString(16).padStart(2, "0")).join("");
}

// Shown once: only its hash goes to the server.
function showOnce(text) {
  const line = document.getElementById("once");
  line.textContent = text;
  line.hidden = false;
}

function onAddition(form) {
  onSubmit(form, async () => {
    const { account, name, is_machine: isMachine } = Object.fromEntries(new FormData(form));
    const body = { case_id: `PERSON-${account}`, name, is_machine: isMachine === "true" };
    await give("AddPerson", body, true);
    location.assign(`/supervise/people/${account}`);
  });
}

function onOffer(form) {
  const { account, about } = form.dataset;
  onSubmit(form, async () => {
    const token = randomText(32);
    const link = `${location.origin}/enrol/${account}.${token}`;
    try {
      await give("OfferEnrolment", { case_id: about, token_hash: await hashOf(token) }, true);
    } catch (refused) {
      // Nowhere else is it kept: it holds once the second person has signed, too.
      if (refused instanceof Waiting) showOnce(link);
      throw refused;
    }
    showOnce(link);
  });
}

function onIssue(form) {
  const { account, about } = form.dataset;
  onSubmit(form, async () => {
    const { label, until } = Object.fromEntries(new FormData(form));
    const token = `${account}.${randomText(32)}`;
    const body = { case_id: about, label, token_hash: await hashOf(token), expires_at: `${until}T00:00:00Z` };
    await give("IssueToken", body, false);
    showOnce(token);
  });
}

// Recorded, with the purpose, before the answer comes.
function onReasons(form) {
  onSubmit(form, async () => {
    const body = { ...Object.fromEntries(new FormData(form)), classes: ["narrative"] };
    const { values } = await post(`/api/people/${form.dataset.account}/reveal`, body);
    document.getElementById("reasons").replaceChildren(...values.map((one) => {
      const line = document.createElement("li");
      line.textContent = one.value ?? one.state;
      return line;
    }));
  });
}

// The secret is made here and shown once: the server keeps it sealed.

function newSecret() {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (one) => letters[one & 31]).join("");
}

// By attributes alone: the page's policy allows no style in the page.
function draw({ size, path }) {
  const made = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const drawn = made("svg", { viewBox: `0 0 ${size} ${size}`, width: 260, height: 260, role: "img" });
  drawn.setAttribute("aria-label", "QR code for your authenticator app");
  drawn.append(made("rect", { width: size, height: size, fill: "white" }), made("path", { d: path, fill: "black" }));
  document.getElementById("drawn").replaceChildren(drawn);
}

function onBreakGlassForm(form) {
  const secret = newSecret();
  const { account } = form.dataset;
  document.getElementById("secret").textContent = secret;
  document.getElementById("otpauth").href =
    `otpauth://totp/Passage:${account}?secret=${secret}&issuer=Passage`;
  const button = document.getElementById("draw");
  button.addEventListener("click", () => trying(button, async () =>
    draw(await post("/api/me/authenticator", { totp_secret: secret }))));
  onSubmit(form, async () => {
    const { password, code } = Object.fromEntries(new FormData(form));
    const body = { case_id: `PERSON-${account}`, password, code, totp_secret: secret };
    await give("SetBreakGlass", body, false);
    location.reload();
  });
}

const OF_THEIR_OWN = {
  "set-break-glass": onBreakGlassForm,
  "add-person": onAddition,
  "offer-link": onOffer,
  "issue-token": onIssue,
  "show-reasons": onReasons,
};

for (const form of document.forms) {
  if (form.id in OF_THEIR_OWN) OF_THEIR_OWN[form.id](form);
  else if (form.dataset.decision) onAgreement(form);
  else if (form.dataset.command || form.dataset.post) onForm(form);
}
