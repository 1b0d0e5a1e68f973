// Files bundled as text: programs that run elsewhere than in this process.
declare module '*?raw' {
  const text: string
  export default text
}
