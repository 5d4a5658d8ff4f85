import type { Key } from "./catalogue";
import { enIncident } from "./en_incident";
import { enKin } from "./en_kin";
import { enOverview } from "./en_overview";
import { enRegister } from "./en_register";
import { enShell } from "./en_shell";
import { enVocabulary } from "./en_vocabulary";

// The English words of the page: exactly the keys of zh.ts, with the same {places}.
export const en: Record<Key, string> = {
  ...enIncident,
  ...enKin,
  ...enOverview,
  ...enRegister,
  ...enShell,
  ...enVocabulary,
};
