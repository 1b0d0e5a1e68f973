// sentencepiece-js ships no declaration of its module shape; sentencepiece-js.ts checks what it gets.
declare module 'sentencepiece-js' {
  const loaded: unknown
  export default loaded
}
