// Passkeys: asks the console for a challenge, the device for an answer, and sends that in a form of the page.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const words = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (all) => (all || []).map((one) => ({...one, id: bytes(one.id)}));

  async function asked(form) {
    const answer = await fetch(form.dataset.passkeyOptions, {
      method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin",
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.why || "The console does not answer. Try again in a minute.");
    return told;
  }

  async function made(form) {
    const told = await asked(form);
    const challenge = bytes(told.challenge);
    if (form.dataset.passkey === "get") {
      return navigator.credentials.get({
        publicKey: {...told, challenge, allowCredentials: listed(told.allowCredentials)},
      });
    }
    return navigator.credentials.create({
      publicKey: {
        ...told, challenge, user: {...told.user, id: bytes(told.user.id)}, excludeCredentials: listed(told.excludeCredentials),
      },
    });
  }

  function written(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = words(credential.response[name]);
    }
    return JSON.stringify({id: credential.id, rawId: words(credential.rawId), type: credential.type, response});
  }

  const DEVICE = {
    NotAllowedError: "The device did not agree, or it took too long.",
    InvalidStateError: "This device has a passkey of yours already.",
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form[data-passkey]")) {
      if (!window.PublicKeyCredential) continue;
      form.hidden = false;
      const problem = form.querySelector(".passkey-problem");
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector("button");
        problem.textContent = "";
        button.disabled = true;
        try {
          form.elements.credential.value = written(await made(form));
          form.submit();
        } catch (error) {
          problem.textContent = DEVICE[error.name] || error.message;
          button.disabled = false;
        }
      });
    }
  });
})();
