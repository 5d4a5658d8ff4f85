// What a dispatcher asks, says and does, by what happened: one catalogue, both languages. A
// statement of first aid names its public source; what has none is this hotline's own routine.
// The advice of the emergency doctor on the line (120) always goes before it.

import type { Incident, Language } from "../api/contract";

export const SOURCES = {
  erc_bls: {
    title: "European Resuscitation Council Guidelines 2021: Basic Life Support",
    url: "https://doi.org/10.1016/j.resuscitation.2021.02.009",
  },
  erc_first_aid: {
    title: "European Resuscitation Council Guidelines 2021: First aid",
    url: "https://doi.org/10.1016/j.resuscitation.2021.02.013",
  },
  nhs_falls: { title: "NHS: Falls", url: "https://www.nhs.uk/conditions/falls/" },
  nhs_stroke: {
    title: "NHS: Symptoms of a stroke (FAST)",
    url: "https://www.nhs.uk/conditions/stroke/symptoms/",
  },
  nhs_heart_attack: {
    title: "NHS: Heart attack",
    url: "https://www.nhs.uk/conditions/heart-attack/",
  },
  nhs_co: {
    title: "NHS: Carbon monoxide poisoning",
    url: "https://www.nhs.uk/conditions/carbon-monoxide-poisoning/",
  },
  nhs_hypothermia: { title: "NHS: Hypothermia", url: "https://www.nhs.uk/conditions/hypothermia/" },
  nhs_heat: {
    title: "NHS: Heat exhaustion and heatstroke",
    url: "https://www.nhs.uk/conditions/heat-exhaustion-heatstroke/",
  },
  hse_gas: { title: "UK HSE: Gas emergency", url: "https://www.hse.gov.uk/gas/domestic/faqtenant.htm" },
  nfpa_escape: {
    title: "NFPA: How to make a home fire escape plan",
    url: "https://www.nfpa.org/education-and-research/home-fire-safety/escape-planning",
  },
  nia_wandering: {
    title: "US National Institute on Aging: Coping with wandering",
    url: "https://www.nia.nih.gov/health/alzheimers-changes-behavior-and-communication/coping-alzheimers-behaviors-wandering-and",
  },
  news2: {
    title: "Royal College of Physicians: National Early Warning Score (NEWS) 2",
    url: "https://www.rcp.ac.uk/resources/national-early-warning-score-news-2/",
  },
} as const;
export type SourceId = keyof typeof SOURCES;

export type Line = Readonly<Record<Language, string>> & { readonly source?: SourceId };

export interface Advice {
  /** What to ask first, in these words. */
  readonly ask: readonly Line[];
  /** What to tell whoever is there. */
  readonly say: readonly Line[];
  /** What the dispatcher does, in this order. */
  readonly steps: readonly Line[];
}

function line(zh: string, en: string, source?: SourceId): Line {
  return { "zh-CN": zh, en, ...(source === undefined ? {} : { source }) };
}

const HEAR = line("您好，这里是值守台，听得见我说话吗？", "Hello, this is the hotline. Can you hear me?");
const WHAT = line("您哪里不舒服？出了什么事？", "What is wrong? What happened?");
const ALONE = line("现在身边有人吗？", "Is anybody with you?");
const BREATHING = line(
  "叫不醒又没有正常呼吸：立即转 120，并请在场的人按压胸部中央，每分钟 100–120 次，深 5–6 厘米。",
  "Does not react and does not breathe normally: 120 at once, and whoever is there presses on the middle of the chest, 100 to 120 times a minute, 5 to 6 cm deep.",
  "erc_bls",
);
const RECOVERY = line(
  "叫不醒但呼吸正常：侧卧，持续观察呼吸。",
  "Does not react but breathes normally: on the side, and watch the breathing.",
  "erc_first_aid",
);
const STROKE = line(
  "口角歪、手抬不起、说话不清，有一样就按中风处理：转 120，记下开始的时间。",
  "Face droops, an arm sinks, speech is slurred, any one of them: treat as a stroke, 120, and note when it began.",
  "nhs_stroke",
);
const CHEST = line(
  "胸口疼：坐下休息，不要走动，转 120。",
  "Pain in the chest: sit down and rest, do not walk, 120.",
  "nhs_heart_attack",
);
const BLEEDING = line(
  "大出血：用干净的布直接用力压住，不松手。",
  "Heavy bleeding: press a clean cloth on it, firmly, and do not let go.",
  "erc_first_aid",
);
const STAY = line("我不挂电话，帮助正在路上。", "I stay on the line. Help is on its way.");

const CALL_HOME = line("呼叫住所（设备通话或电话）", "Call the home (voice of the device, or telephone)");
const CALL_CONTACTS = line("无人应答：依次联系联系人", "No answer: call the contacts in order");
const SEND = line("派最近的人上门，告知进门方式", "Send whoever is nearest; tell them how to get in");
const EMERGENCY = line("需要时转 120 / 119 / 110，记下编号", "Where needed 120 / 119 / 110; note the reference");
const CONFIRM = line("确认有人到场，听到本人的声音", "Confirm that somebody is there; hear the person");

const USUAL_STEPS = [CALL_HOME, CALL_CONTACTS, SEND, EMERGENCY, CONFIRM];

export const TOPICS = {
  press: {
    ask: [HEAR, WHAT, ALONE],
    say: [STAY, BREATHING, CHEST, STROKE, BLEEDING, RECOVERY],
    steps: USUAL_STEPS,
  },
  duress: {
    ask: [],
    say: [],
    steps: [
      line("不要回拨，不要在设备上发声", "Do not call back; make no sound on the device"),
      line("转 110，说明可能有人胁迫", "110: somebody may be threatening them"),
      line("告知上门的人不要单独进入", "Tell whoever goes there not to enter alone"),
    ],
  },
  fall: {
    ask: [
      HEAR,
      line("摔倒了吗？碰到头了吗？", "Did you fall? Did you hit your head?"),
      line("哪里疼？手脚能动吗？", "Where does it hurt? Can you move arms and legs?"),
      line("在吃抗凝药（防血栓药）吗？", "Do you take blood thinners?"),
    ],
    say: [
      line("先别急着起来，躺着缓一缓。", "Do not get up in a hurry; stay calm where you are.", "nhs_falls"),
      line(
        "受伤、头部着地或起不来：不要搬动，盖上保暖，转 120。",
        "Hurt, hit the head, or cannot get up: do not move them, keep them warm, 120.",
        "nhs_falls",
      ),
      line(
        "没有受伤：慢慢翻身，手膝着地，扶着结实的椅子起来，先坐一会儿。",
        "Not hurt: roll over slowly, onto hands and knees, up by a sturdy chair, and sit for a while.",
        "nhs_falls",
      ),
      STROKE,
      BREATHING,
    ],
    steps: USUAL_STEPS,
  },
  vital: {
    ask: [
      HEAR,
      line("胸闷、气短、头晕吗？", "Tightness in the chest, short of breath, dizzy?"),
      line("设备戴好了吗？请坐下休息五分钟再测一次。", "Is the device on properly? Please sit for five minutes and measure again."),
    ],
    say: [CHEST, STROKE, BREATHING, STAY],
    steps: [
      line("看曲线：是真的变化，还是没戴好", "Look at the curve: a real change, or worn badly"),
      line(
        "预警评分 5 分及以上或单项 3 分：请医生紧急判断",
        "Early warning score of 5 or more, or 3 in one item: urgent judgement by a clinician",
        "news2",
      ),
      ...USUAL_STEPS,
    ],
  },
  hot: {
    ask: [HEAR, line("发烧了吗？屋里很热吗？", "Do you have a fever? Is it very hot in the room?")],
    say: [
      line(
        "中暑：移到阴凉处，脱去多余衣物，用凉水和扇风降温，能喝就喝水；神志不清转 120。",
        "Heat: into the shade, take off what is not needed, cool with water and fanning, drink if they can; confused: 120.",
        "nhs_heat",
      ),
      BREATHING,
    ],
    steps: USUAL_STEPS,
  },
  cold: {
    ask: [HEAR, line("冷吗？在发抖吗？暖气开着吗？", "Are you cold, shivering? Is the heating on?")],
    say: [
      line(
        "失温：到暖和的屋里，换下湿衣，盖毯子，清醒时喝热饮；不要搓、不要泡热水，转 120。",
        "Hypothermia: into a warm room, off with wet clothes, blankets, a warm drink if awake; no rubbing, no hot bath; 120.",
        "nhs_hypothermia",
      ),
    ],
    steps: USUAL_STEPS,
  },
  smoke: {
    ask: [HEAR, line("看见火或烟了吗？能走出来吗？", "Do you see fire or smoke? Can you get out?")],
    say: [
      line("马上出去，随手关门，不要回去拿东西，不乘电梯。", "Get out now, close the doors behind you, do not go back for anything, no lift.", "nfpa_escape"),
      line("有烟就弯低身子走。", "Go low under the smoke.", "nfpa_escape"),
      line("出不去：关门，堵住门缝，到窗边求救。", "Cannot get out: close the door, seal the gaps, call from a window.", "nfpa_escape"),
    ],
    steps: [
      line("先转 119，说明有行动不便的老人", "119 first: an older person who may not walk well"),
      CALL_HOME,
      line("通知邻居，但不要让他们进火场", "Tell the neighbours, but nobody goes into the fire"),
      CONFIRM,
    ],
  },
  gas: {
    ask: [HEAR, line("闻到煤气味了吗？灶开着吗？", "Do you smell gas? Is the stove on?")],
    say: [
      line("不要开关任何电器，不要点火。", "Switch nothing on or off, no flame.", "hse_gas"),
      line("能做到就关总阀、开门窗，然后出去。", "If you can, turn off the main valve, open doors and windows, and get out.", "hse_gas"),
      line("到外面再打电话。", "Telephone from outside.", "hse_gas"),
    ],
    steps: [
      line("转 119 和燃气公司抢修", "119 and the gas company's emergency service"),
      CALL_CONTACTS,
      line("上门的人不要按门铃", "Whoever goes there does not ring the bell"),
      CONFIRM,
    ],
  },
  carbon_monoxide: {
    ask: [HEAR, line("头痛、恶心、头晕吗？家里还有谁？", "Headache, sick, dizzy? Who else is there?")],
    say: [
      line("马上到户外，开窗，关掉炉子和热水器。", "Into the open air now; windows open, stove and boiler off.", "nhs_co"),
      line("都要看医生：不舒服就转 120。", "Everybody is seen by a doctor: unwell means 120.", "nhs_co"),
      BREATHING,
    ],
    steps: [
      line("转 119 和 120", "119 and 120"),
      line("上门的人先开门窗，不要久留", "Whoever goes in opens doors and windows first and does not stay"),
      CONFIRM,
    ],
  },
  water: {
    ask: [HEAR, line("哪里漏水？能关总阀吗？", "Where does it leak? Can you close the main valve?")],
    say: [line("地湿防滑，别碰湿的电器。", "Mind the wet floor; do not touch wet appliances.")],
    steps: [CALL_HOME, CALL_CONTACTS, line("通知物业", "Tell the property manager"), CONFIRM],
  },
  inactivity: {
    ask: [HEAR, line("您还好吗？今天起床活动了吗？", "Are you well? Have you been up today?")],
    say: [STAY, BREATHING, STROKE],
    steps: [
      line("看活动曲线：是在床上，还是离开了家", "Look at the activity: in bed, or away from home"),
      ...USUAL_STEPS,
    ],
  },
  wandering: {
    ask: [HEAR, line("您现在在哪里？看得到什么？", "Where are you? What can you see?")],
    say: [line("请站在原地，我请人来接您。", "Please stay where you are; somebody comes for you.")],
    steps: [
      line("看最后位置和精度", "Look at the last position and its accuracy"),
      CALL_CONTACTS,
      line(
        "15 分钟找不到：转 110，备好近照和衣着",
        "Not found within 15 minutes: 110, with a recent photograph and what they wear",
        "nia_wandering",
      ),
      line("先找常去的地方", "Search the places they usually go to first", "nia_wandering"),
      CONFIRM,
    ],
  },
  technical: {
    ask: [line("设备插着电吗？灯亮吗？", "Is the device plugged in? Is its light on?")],
    say: [line("在修好之前，有事请直接打热线。", "Until it works again, please call the hotline.")],
    steps: [
      line("本人有没有别的方式呼叫？", "Can the person call in another way?"),
      line("看同一区域有没有别的设备也失联", "See whether others in the area are silent too"),
      line("联系住所；需要时派安装员", "Call the home; send an installer where needed"),
    ],
  },
} as const satisfies Record<string, Advice>;
export type Topic = keyof typeof TOPICS;

const BY_HAZARD: Readonly<Record<string, Topic>> = {
  smoke: "smoke",
  gas: "gas",
  carbon_monoxide: "carbon_monoxide",
  water: "water",
  cold: "cold",
};
const BY_KIND: Readonly<Record<string, Topic>> = {
  press: "press",
  call: "press",
  fall: "fall",
  motion: "fall",
  early_warning: "vital",
  body_temperature_high: "hot",
  body_temperature_low: "cold",
  inactivity: "inactivity",
  bed_left: "fall",
  bed_long_stay: "inactivity",
  bed_restless: "inactivity",
  wandering: "wandering",
};

/** Which advice fits an incident; nobody is left without one. */
export function topicOf(incident: Incident): Topic {
  if (incident.silent) return "duress";
  const hazards = incident.alarms.map((alarm) => String(alarm.evidence?.["hazard"] ?? ""));
  const hazard = hazards.map((each) => BY_HAZARD[each]).find((topic) => topic !== undefined);
  if (incident.category === "hazard" && hazard !== undefined) return hazard;
  if (incident.category === "technical") return "technical";
  return BY_KIND[incident.kind] ?? (incident.category === "physiological" ? "vital" : "press");
}
