// The pre-tokenizer UnicodeScripts: a text is cut where the script changes. Follows Hugging Face tokenizers 0.23 (pre_tokenizers/unicode_scripts), where Kana counts as Han, as in SentencePiece.
import type { Piece } from './split'

/** Scripts of Unicode in the order of how often texts have them. */
const SCRIPTS =
  'Latin Common Inherited Han Cyrillic Arabic Hangul Hiragana Katakana Greek Devanagari Hebrew Thai Bengali Tamil Telugu Gujarati Gurmukhi Kannada Malayalam Oriya Sinhala Lao Tibetan Myanmar Georgian Armenian Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Tagalog Hanunoo Buhid Tagbanwa Khmer Mongolian Bopomofo Yi Old_Italic Gothic Deseret Limbu Tai_Le Linear_B Ugaritic Shavian Osmanya Cypriot Braille Buginese Coptic New_Tai_Lue Glagolitic Tifinagh Syloti_Nagri Old_Persian Kharoshthi Balinese Cuneiform Phoenician Phags_Pa Nko Sundanese Lepcha Ol_Chiki Vai Saurashtra Kayah_Li Rejang Lycian Carian Lydian Cham Tai_Tham Tai_Viet Avestan Egyptian_Hieroglyphs Samaritan Lisu Bamum Javanese Meetei_Mayek Imperial_Aramaic Old_South_Arabian Inscriptional_Parthian Inscriptional_Pahlavi Old_Turkic Kaithi Batak Brahmi Mandaic Chakma Meroitic_Cursive Meroitic_Hieroglyphs Miao Sharada Sora_Sompeng Takri Syriac Thaana Adlam Bhaiksuki Marchen Newa Osage Tangut Nushu Siddham Tirhuta Warang_Citi Mro Pahawh_Hmong Modi Khudawadi Khojki Grantha Duployan Elbasan Bassa_Vah Caucasian_Albanian Linear_A Mahajani Manichaean Mende_Kikakui Nabataean Old_North_Arabian Old_Permic Palmyrene Pau_Cin_Hau Psalter_Pahlavi Ahom Anatolian_Hieroglyphs Hatran Multani Old_Hungarian SignWriting'.split(
    ' ',
  )

const TESTS = SCRIPTS.map((script) => ({ script, test: new RegExp(`^\\p{Script=${script}}$`, 'u') }))
const known = new Map<string, string>()

function scriptOf(character: string): string {
  const cached = known.get(character)
  if (cached !== undefined) return cached
  let script = TESTS.find(({ test }) => test.test(character))?.script ?? 'Any'
  if (character === '\u30fc' || script === 'Hiragana' || script === 'Katakana') script = 'Han'
  if (character === ' ') script = 'Any'
  known.set(character, script)
  return script
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
