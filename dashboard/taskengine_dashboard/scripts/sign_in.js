// Sends the key to the dashboard's own server, which keeps it as a cookie that no script can read.
export default function ({ parentElement }) {
  const form = parentElement.querySelector("form");
  const [field, complaint, button] = ["input", "p", "button"].map((name) => form.querySelector(name));
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    complaint.textContent = "";
    try {
      const answer = await fetch(new URL("auth/login", document.baseURI), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ key: field.value.trim() }),
      });
      if (answer.ok) {
        location.reload();
        return;
      }
      complaint.textContent = (await answer.json()).message;
    } catch {
      complaint.textContent = "The dashboard does not answer. Try again in a moment.";
    }
    button.disabled = false;
    field.select();
  };
}
