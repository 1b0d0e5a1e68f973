// What Python's jinja2 3.1.6 prints and the library alone does not; and templates that try to take all time or memory.
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../../engine/errors'
import { createChatTemplate } from '../../../engine/tokenizer/chat-template'

const render = (text: string) =>
  createChatTemplate({ text, source: 'test.jinja' }, { specialTokens: {} }).render({
    messages: [{ role: 'user', content: 'Hello' }],
    s: 'a,b,,c',
    nums: [3, 1, 2],
  })

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
  return 'nothing was thrown'
}

describe('Python in templates', () => {
  it.each([
    ['{{ "a" * 3 }}{{ 3 * "b" }}', 'aaabbb'],
    ['{{ [1, 2] * 2 }}', '[1, 2, 1, 2]'],
    ['{{ "a" ~ 1 ~ none ~ true ~ 1.0 }}', 'a1NoneTrue1.0'],
    ['{{ "%s-%d" % ("x", 3) }}{{ "%05.2f" % 3.14159 }}{{ "%5s|%-5s|" % ("a", "b") }}', 'x-303.14    a|b    |'],
    ['{{ "%s is %s" | format("a", 1) }}', 'a is 1'],
    ['{{ "{0}{1}{0}".format("a", "b") }}{{ "{} {}".format(1, "b") }}', 'aba1 b'],
    ['{{ -7 % 3 }}', '2'],
    ['{{ "a" < "b" }}', 'True'],
    ['{{ nums | sum }}{{ nums | count }}', '63'],
    ['{{ 2.0 | tojson }}', '2.0'],
    ['{{ s.count(",") }}{{ s.find("b") }}{{ s.rfind(",") }}{{ s.find("z") }}', '324-1'],
    ['{{ s.rsplit(",", 1) }}', "['a,b,', 'c']"],
    ['{{ "5".isdigit() }}{{ "a".isalpha() }}{{ "Ab".islower() }}{{ "AB".isupper() }}', 'TrueTrueFalseTrue'],
    ['{{ "7".zfill(3) }}{{ "x".rjust(3, ".") }}{{ ",".join(["a", "b"]) }}', '007..xa,b'],
    ['{{ "prefix_x".removeprefix("prefix_") }}{{ "x.py".removesuffix(".py") }}', 'xx'],
    ['{{ "abc" | first }}{{ "abc" | last }}{{ "abc" | reverse }}{{ "xxax" | trim("x") }}', 'accbaa'],
    ['{{ "<a>" | e }}{{ "" | d("e", true) }}{{ undefinedthing | d("f") }}', '&lt;a&gt;ef'],
    ['{{ 2.5 | round }}{{ 3.14159 | round(2) }}', '2.03.14'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(expected)
  })
})

describe('a hostile template', () => {
  it.each([
    ['a range without end', '{% for i in range(10**9) %}x{% endfor %}'],
    ['a long range', '{% for i in range(1000000000) %}x{% endfor %}'],
    ['loops in loops', '{% for i in range(99999) %}{% for j in range(99999) %}{{ i * j }}{% endfor %}{% endfor %}'],
    ['a text repeated', '{{ "a" * 2000000000 }}'],
    ['a list repeated', '{{ [1] * 2000000000 }}'],
    ['a text that doubles', '{% set ns = namespace(x="aaaaaaaa") %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}'],
    ['a macro that calls itself', '{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}'],
    ['the constructor of a value', '{{ messages.constructor.constructor("return process")() }}'],
    ['the prototype of a value', '{{ messages.__proto__.x }}'],
  ])('ends with a code: %s', (_, template) => {
    const startMs = performance.now()
    expect(codeOf(() => render(template))).toMatch(/^template\//)
    // Room for a busy machine; alone it is below two seconds.
    expect(performance.now() - startMs).toBeLessThan(6000)
  })
})
