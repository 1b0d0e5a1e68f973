// The pre-tokenizer UnicodeScripts: a text is cut where the script changes. Follows Hugging Face tokenizers 0.23 (pre_tokenizers/unicode_scripts), where Kana counts as Han, as in SentencePiece.
import type { Piece } from './split'

/** Scripts of Unicode in the order of how often texts have them. */
const SCRIPTS =
  'Latin Common Inherited Han Cyrillic Arabic Hangul Hiragana Katakana Greek Devanagari Hebrew Thai Bengali Tamil Telugu Gujarati Gurmukhi Kannada Malayalam Oriya Sinhala Lao Tibetan Myanmar Georgian Armenian Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Tagalog Hanunoo Buhid Tagbanwa Khmer Mongolian Bopomofo Yi Old_Italic Gothic Deseret Limbu Tai_Le Linear_B Ugaritic Shavian Osmanya Cypriot Braille Buginese Coptic New_Tai_Lue Glagolitic Tifinagh Syloti_Nagri Old_Persian Kharoshthi Balinese Cuneiform Phoenician Phags_Pa Nko Sundanese Lepcha Ol_Chiki Vai Saurashtra Kayah_Li Rejang Lycian Carian Lydian Cham Tai_Tham Tai_Viet Avestan Egyptian_Hieroglyphs Samaritan Lisu Bamum Javanese Meetei_Mayek Imperial_Aramaic Old_South_Arabian Inscriptional_Parthian Inscriptional_Pahlavi Old_Turkic Kaithi Batak Brahmi Mandaic Chakma Meroitic_Cursive Meroitic_Hieroglyphs Miao Sharada Sora_Sompeng Takri Syriac Thaana Adlam Bhaiksuki Marchen Newa Osage Tangut Nushu Siddham Tirhuta Warang_Citi Mro Pahawh_Hmong Modi Khudawadi Khojki Grantha Duployan Elbasan Bassa_Vah Caucasian_Albanian Linear_A Mahajani Manichaean Mende_Kikakui Nabataean Old_North_Arabian Old_Permic Palmyrene Pau_Cin_Hau Psalter_Pahlavi Ahom Anatolian_Hieroglyphs Hatran Multani Old_Hungarian SignWriting'.split(
    ' ',
  )

/** Characters that Unicode has added since version 9, which the library's table is of: they have no script there. Hexadecimal ranges. */
const LATER =
  '560 588 5EF 61D 7FD-7FF 860-89F 8B5 8BE-8D3 9FC-9FE A76 AFA-AFF B55 C04 C3C C5C-C5D C77 C84 CDC-CDD CF3-D00 D04 D3B-D3C D81 E86 E89 E8C E8E-E93 E98 EA0 EA8-EA9 EAC EBA ECE 170D 1715-171F 180F 1878 1ABF-1AEB 1B4C-1B4F 1B7D-1B7F 1C89-1CBF 1CF7 1CFA 1DF6-1DFA 20BF-20C1 23FF 2427-2429 2B96-2B97 2BBA-2BBC 2BC9 2BD2-2BEB 2BF0-2BFF 2C2F 2C5F 2E45-2E5D 2FFC-2FFF 312E-312F 31BB-31BF 31E4-31EF 32FF 4DB6-4DBF 9FD6-9FFF A7AF A7B8-A7F6 A82C A8FE-A8FF AB66-AB6B FBC2-FBD2 FD40-FD4F FD90-FD91 FDC8-FDCF FDFE-FDFF 1019C 1032D-1032F 10780-107BA 10A34-10A35 10A48 10EC2-10EFF 11070-11075 110C2-110CD 11144-11147 111CE-111CF 1123F-11241 1133B 1145A 1145E-11461 116B8-116B9 116D0-116E3 1171A 11740-11746 11AB0-11ABF 11B00-11B67 11FB0-11FFF 1342F-143FA 16F45-16F4F 16F7F-16F87 16FE1-16FF6 187ED-187FF 18AF3-1AFFE 1B002-1B2FB 1CC00-1CFC3 1D1E9-1D1EA 1D2C0-1D2F3 1D372-1D378 1DF00-1DF2A 1E030-1E7FE 1E94B 1EC71-1ED3D 1F10D-1F10F 1F12F 1F16C-1F16F 1F1AD 1F260-1F265 1F6D3-1F6DF 1F6F7-1F6FC 1F774-1F77F 1F7D5-1F7F0 1F8B0-1F90F 1F91F 1F928-1F92F 1F931-1F932 1F93F 1F94C-1F94F 1F95F-1F97F 1F992-1F9BF 1F9C1-1FBFA 2A6D7-2A6DF 2B735-2B73F 2CEA2-2EE5D 30000-33479'

/** Where that table differs from today's Unicode. */
const OLDER_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['\u0589', 'Common'],
  ['\u061c', 'Common'],
  ['\u0953', 'Devanagari'],
  ['\u0954', 'Devanagari'],
  ['\u30fc', 'Han'],
  [' ', 'Any'],
])

const later = LATER.split(' ').map((range) => {
  const [first = 0, last = first] = range.split('-').map((code) => Number.parseInt(code, 16))
  return { first, last }
})

const TESTS = SCRIPTS.map((script) => ({ script, test: new RegExp(`^\\p{Script=${script}}$`, 'u') }))
/** Texts use a few thousand characters. */
const MAX_KNOWN = 20_000
const known = new Map<string, string>()

function scriptOf(character: string): string {
  const cached = known.get(character)
  if (cached !== undefined) return cached
  const script = OLDER_SCRIPTS.get(character) ?? (isLater(character) ? 'Any' : todaysScript(character))
  if (known.size < MAX_KNOWN) known.set(character, script)
  return script
}

function isLater(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return later.some(({ first, last }) => code >= first && code <= last)
}

function todaysScript(character: string): string {
  const script = TESTS.find(({ test }) => test.test(character))?.script ?? 'Any'
  return script === 'Hiragana' || script === 'Katakana' ? 'Han' : script
}

/** Cuts where the script changes; a space belongs to what stands before it, and what stands before the first script is lost. */
export function splitByScript(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = []
  for (const { text, atStart } of pieces) {
    const cuts: number[] = []
    let at = 0
    let last: string | null = null
    for (const character of text) {
      const script = scriptOf(character)
      if (script !== 'Any') {
        if (last !== script) cuts.push(at)
        last = script
      }
      at += character.length
    }
    for (const [index, start] of cuts.entries()) {
      result.push({ text: text.slice(start, cuts[index + 1] ?? text.length), atStart: atStart && start === 0 })
    }
  }
  return result
}
