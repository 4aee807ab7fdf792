"use strict";

/* Passkeys (WebAuthn level 2): forms with data-passkey ask the browser for one, and send what it answers. */

(() => {
  if (!window.PublicKeyCredential) return;

  const decode = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const encode = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const asked = ({ publicKey }) => {
    const options = { ...publicKey, challenge: decode(publicKey.challenge) };
    if (options.user) options.user = { ...options.user, id: decode(options.user.id) };
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      if (options[list]) options[list] = options[list].map((one) => ({ ...one, id: decode(one.id) }));
    }
    return options;
  };

  /* kept by the authenticator, so that it works without a name; with finger, face or PIN */
  const create = (options) => {
    const authenticatorSelection = {
      ...options.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required",
    };
    return navigator.credentials.create({ publicKey: { ...options, authenticatorSelection } });
  };

  const answered = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = encode(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return {
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      response,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const fetched = async (address) => {
    const page = await fetch(address, { headers: { Accept: "application/json" } });
    return (await page.json()).request_options;
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const failed = form.querySelector("[data-failed]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      failed.textContent = "";
      try {
        const options = asked(form.dataset.options ? JSON.parse(form.dataset.options) : await fetched(form.action));
        const credential =
          form.dataset.passkey === "create" ? await create(options) : await navigator.credentials.get({ publicKey: options });
        form.elements.credential.value = JSON.stringify(answered(credential));
        form.submit();
      } catch (error) {
        failed.textContent = failed.dataset.failed;
      }
    });
  }
})();
