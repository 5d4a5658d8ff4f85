// In which voice a sentence of the hub is read out: names in it may be in another language.

const HAN = /[\u4e00-\u9fff]/g;
const LATIN = /[A-Za-z]/g;

export function spokenIn(text: string): "zh-CN" | "en-GB" {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  // A Chinese character is about three letters' worth of speech.
  return count(HAN) * 3 >= count(LATIN) ? "zh-CN" : "en-GB";
}
