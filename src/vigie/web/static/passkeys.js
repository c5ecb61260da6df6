// Passkeys: asks the authenticator, and sends what it says. Without scripts the password does.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const usable = window.isSecureContext && window.PublicKeyCredential && navigator.credentials;
  const post = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body || {}) });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.detail || answer.statusText);
    return said;
  };
  const listed = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  const plain = (made) => {
    const from = made.response;
    const response = { clientDataJSON: text(from.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) if (from[name]) response[name] = text(from[name]);
    if (from.getTransports) response.transports = from.getTransports();
    return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: made.getClientExtensionResults(), authenticatorAttachment: made.authenticatorAttachment };
  };
  const fault = (words) => {
    const place = document.querySelector("[data-passkey-fault]");
    if (place) { place.textContent = words; place.hidden = !words; }
  };

  const login = document.querySelector("[data-passkey-login]");
  if (login && usable) {
    login.hidden = false;
    login.addEventListener("click", async () => {
      fault("");
      try {
        const { token, options } = await post("/login/passkey/options");
        const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials) };
        const made = await navigator.credentials.get({ publicKey });
        const done = await post("/login/passkey", { token, credential: plain(made), next: login.dataset.next });
        location.assign(done.next);
      } catch (error) {
        if (error.name !== "NotAllowedError") console.warn(error);
        fault(login.dataset.failed);
      }
    });
  }

  const add = document.querySelector("[data-passkey-add]");
  if (add && usable) {
    add.querySelector("button").disabled = false;
    add.querySelector("[data-passkey-unable]").hidden = true;
    add.addEventListener("submit", async (event) => {
      event.preventDefault();
      fault("");
      try {
        const { token, options } = await post("/account/passkeys/options");
        const publicKey = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: listed(options.excludeCredentials) };
        const made = await navigator.credentials.create({ publicKey });
        const done = await post("/account/passkeys", { token, name: add.elements.name.value, credential: plain(made) });
        location.assign(done.next);
      } catch (error) {
        if (error.name !== "NotAllowedError") console.warn(error);
        fault(add.dataset.failed);
      }
    });
  }
})();
