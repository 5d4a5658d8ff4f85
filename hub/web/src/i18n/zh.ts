// The Chinese words of the page, by what they are about. en.ts has exactly the same keys; the compiler
// checks it.

import { zhIncident } from "./zh_incident";
import { zhKin } from "./zh_kin";
import { zhOverview } from "./zh_overview";
import { zhRegister } from "./zh_register";
import { zhShell } from "./zh_shell";
import { zhVocabulary } from "./zh_vocabulary";

export const zh = {
  ...zhIncident,
  ...zhKin,
  ...zhOverview,
  ...zhRegister,
  ...zhShell,
  ...zhVocabulary,
} as const satisfies Record<string, string>;
