// Has a sign-in renewed before its token ends, and hands over what only the dashboard's own server can read.
//
// data: { seconds: until it is time }
// triggers: renewed (a pass)
const AGAIN_MS = 15_000;

export default function ({ data, setTriggerValue }) {
  let timer = 0;
  let left = false;
  const ask = async () => {
    const answer = await fetch(new URL("auth/oidc/renew", document.baseURI), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    if (!answer.ok) throw new Error("not now");
    const { renewed } = await answer.json();
    if (renewed && !left) setTriggerValue("renewed", renewed);
  };
  const renew = () =>
    // One tab after the other: what the provider renews a sign-in for is often good for once.
    (navigator.locks ? navigator.locks.request("taskengine-renewal", ask) : ask()).catch(() => {
      if (!left) timer = setTimeout(renew, AGAIN_MS);
    });
  timer = setTimeout(renew, Math.min(data.seconds * 1000, 2 ** 31 - 1));
  return () => {
    left = true;
    clearTimeout(timer);
  };
}
