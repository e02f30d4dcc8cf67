// Signs in by an identity provider, or with a key. The dashboard's own server keeps either as a cookie that no script
// can read.
//
// data: { provider: its name or null, problem: why the last try came to nothing or null, renewable: bool }
const AWAY = "The dashboard does not answer. Try again in a moment.";

const post = (path, body) =>
  fetch(new URL(path, document.baseURI), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

export default function ({ data, parentElement }) {
  const form = parentElement.querySelector("form");
  const [field, complaint, button] = ["input", "p", "button"].map((name) => form.querySelector(name));
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    complaint.textContent = "";
    try {
      const answer = await post("auth/login", { key: field.value.trim() });
      if (answer.ok) {
        location.reload();
        return;
      }
      complaint.textContent = (await answer.json()).message;
    } catch {
      complaint.textContent = AWAY;
    }
    button.disabled = false;
    field.select();
  };
  if (data.provider) offerProvider(parentElement, data);
}

function offerProvider(parentElement, { provider, problem, renewable }) {
  const [button, complaint, or] = ["provider", "problem", "or"].map((name) =>
    parentElement.querySelector(`.sign-in-${name}`),
  );
  const complain = (text) => {
    complaint.textContent = text ?? "";
    complaint.hidden = !text;
  };
  button.textContent = `Sign in with ${provider}`;
  button.hidden = or.hidden = false;
  if (problem && !("told" in parentElement.dataset)) complain(problem);
  parentElement.dataset.told = "";
  button.onclick = async () => {
    button.disabled = true;
    complain();
    try {
      const answer = await post("auth/oidc", { next: location.pathname + location.search });
      const { leads_to, message } = await answer.json();
      if (answer.ok) {
        location.assign(leads_to);
        return;
      }
      complain(message);
    } catch {
      complain(AWAY);
    }
    button.disabled = false;
  };
  // It came back from a long sleep, and the provider still knows who this is.
  if (renewable && !parentElement.dataset.renewed) {
    parentElement.dataset.renewed = "";
    post("auth/oidc/renew", {})
      .then((answer) => answer.ok && answer.json())
      .then((answer) => answer?.renewed && location.reload())
      .catch(() => {}); // then one signs in
  }
}
