import { mount } from "svelte";
import Elder from "./Elder.svelte";
import "../app.css";

const target = document.getElementById("app");
if (target === null) throw new Error("press/index.html has no #app");
mount(Elder, { target });

if ("serviceWorker" in navigator) {
  // Lets the button open without a line; a press made then waits in the phone.
  void navigator.serviceWorker.register("/worker.js", { scope: "/press/" }).catch(() => undefined);
}
