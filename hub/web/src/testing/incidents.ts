// Incidents for tests: a plain emergency press, changed where a test cares.

import type { Alarm, Incident } from "../api/contract";

export const T0 = "2026-03-01T19:12:00.000Z";
export const T0_MS = Date.parse(T0);

export function alarm(changes: Partial<Alarm> = {}): Alarm {
  return {
    id: "alarm-1",
    device_id: "button-1",
    message_id: "1",
    kind: "press",
    category: "personal",
    priority: "high",
    action: "emergency",
    observed_at: T0,
    received_at: T0,
    late: false,
    flags: [],
    text: "",
    texts: {},
    evidence: {},
    ...changes,
  };
}

export function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: "incident-1",
    revision: 1,
    state: "raised",
    provisional: false,
    priority: "high",
    category: "personal",
    kind: "press",
    area_id: "city",
    subject: { kind: "person", id: "person-1" },
    person: null,
    premises: null,
    device: null,
    position: null,
    alarms: [alarm()],
    alarm_count: 1,
    owner: null,
    opened_at: T0,
    last_alarm_at: T0,
    acknowledged_at: null,
    attended_at: null,
    resolved_at: null,
    expected_at: null,
    silent: false,
    outcome: null,
    note: null,
    next_deadline_at: null,
    step: 0,
    follows: null,
    repeats: 0,
    who_comes: null,
    responders: [],
    hand_offs: [],
    ladder: "",
    same_address: null,
    drill: false,
    pending_action: null,
    ...changes,
  };
}
