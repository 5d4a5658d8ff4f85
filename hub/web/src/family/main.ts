import { mount } from "svelte";
import Family from "./Family.svelte";
import "../app.css";

const target = document.getElementById("app");
if (target === null) throw new Error("family/index.html has no #app");
mount(Family, { target });
