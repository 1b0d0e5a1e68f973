// Limits of what a message may ask the renderer to do. Each names its reason; beyond it the text is shown as it stands.

/** A paragraph longer than this goes unparsed: inline rules rescan the rest of the text at each mark. No written paragraph comes near. */
export const MAX_PARAGRAPH_CHARS = 20_000
/** Marks of emphasis, links and maths in one paragraph: the rules are quadratic in unmatched marks. */
export const MAX_INLINE_MARKS = 3_000
/** Quote and list marks at the start of one line: each is a level of recursion and of the page's tree. */
export const MAX_NESTING = 24
/** Columns of indentation, which nest lists without repeating marks. */
export const MAX_INDENT_CHARS = 200
/** A block longer than this that is no code, such as one endless list, is shown as it stands: it is laid out and written again as a whole. */
export const MAX_BLOCK_CHARS = 40_000
/** What follows this many blocks is shown as it stands: each is a part of the page that is sanitised and laid out. */
export const MAX_BLOCKS = 1_500
/** Messages longer than this are shown as plain text altogether. */
export const MAX_MESSAGE_CHARS = 200_000
/** Plain text is cut here until the person asks for the rest: one text node of a megabyte takes seconds to lay out. */
export const MAX_PLAIN_CHARS = 20_000
/** A formula longer than this is shown as its source. */
export const MAX_FORMULA_CHARS = 4_000
/** Code longer than this is not highlighted. */
export const MAX_HIGHLIGHT_CHARS = 40_000
/** Links longer than this are not followed; the contract's own limit for app.openExternal. */
export const MAX_URL_CHARS = 8_192
