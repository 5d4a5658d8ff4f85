import { mount } from "svelte";
import Family from "./Family.svelte";
import "../app.css";

const target = document.getElementById("app");
if (target === null) throw new Error("family/index.html has no #app");
mount(Family, { target });

if ("serviceWorker" in navigator) {
  // Without it the page works as well, only not while it is closed.
  void navigator.serviceWorker.register("/worker.js", { scope: "/family/" }).catch(() => undefined);
}
