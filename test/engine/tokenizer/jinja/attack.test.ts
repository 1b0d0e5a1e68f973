// Templates that try to take all time or memory, or to reach beyond their variables: each ends with a code within two seconds.
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../../../engine/errors'
import { createChatTemplate } from '../../../../engine/tokenizer/chat-template'
import { MAX_TEMPLATE_CHARACTERS } from '../../../../engine/tokenizer/jinja/compile'

const messages = [{ role: 'user', content: 'Hello' }]

/** A tenth of the steps that a model's template has, so that the attacks end sooner. */
const maxSteps = 2_000_000

function render(text: string): string {
  return createChatTemplate({ text, source: 'test.jinja' }, { specialTokens: {}, maxSteps }).render({ messages })
}

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
  return 'nothing was thrown'
}

const doubling = (step: string) => `{% set ns = namespace(x="aaaaaaaa", l=[1]) %}{% for i in range(99) %}${step}{% endfor %}{{ ns.l }}`

describe('a hostile template', () => {
  it.each([
    ['a range without end', '{% for i in range(10**9) %}x{% endfor %}'],
    ['loops in loops', '{% for i in range(99999) %}{% for j in range(99999) %}{{ i * j }}{% endfor %}{% endfor %}'],
    ['loops that print nothing', '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}'],
    ['a text repeated', '{{ "a" * 10**9 }}'],
    ['a list repeated', '{{ [1] * 10**9 }}'],
    ['a text that doubles', doubling('{% set ns.x = ns.x ~ ns.x %}')],
    ['a text added to itself', doubling('{% set ns.x = ns.x + ns.x %}')],
    ['a text replaced by more', doubling('{% set ns.x = ns.x.replace("a", "aaaa") %}')],
    ['a list that doubles', doubling('{% set ns.l = ns.l + ns.l %}')],
    ['a list in itself twice, printed', doubling('{% set ns.l = [ns.l, ns.l] %}')],
    ['a list in itself twice, as JSON', doubling('{% set ns.l = [ns.l, ns.l] %}').replace('{{ ns.l }}', '{{ ns.l | tojson }}')],
    [
      'two lists in themselves twice, compared',
      '{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}',
    ],
    ['a namespace in itself', '{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}'],
    ['a wide column', '{{ "a" | center(10**9) }}'],
    ['a wide field', '{{ "%1000000000d" % 1 }}'],
    ['a wide field of format', '{{ "{:1000000000}".format(1) }}'],
    ['a wide field of another field', '{{ "{:{w}}".format(1, w=10**9) }}'],
    ['a wide justification', '{{ "a".rjust(10**9) }}'],
    ['tabs expanded', '{{ ("\\t" * 1000).expandtabs(10**9) }}'],
    ['a wide indentation', '{{ "a\\nb" | indent(10**9) }}'],
    ['an indentation of many lines', '{{ ("a\\n" * 100000) | indent(100000) }}'],
    ['JSON indented widely', '{{ [[1]] | tojson(indent=10**9) }}'],
    ['batches filled up', '{{ [1] | batch(10**9, 0) | list }}'],
    ['slices without end', '{{ [1] | slice(10**9) | list }}'],
    ['a power of powers', '{{ 9 ** (9 ** 9) }}'],
    [
      'a number that squares itself',
      '{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}',
    ],
    ['a macro that calls itself', '{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}'],
    ['macros that call each other twice', '{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}'],
    ['a loop that calls itself', '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}'],
    ['parentheses without end', `{{ ${'('.repeat(50_000)} }}`],
    ['lists without end', `{{ ${'['.repeat(50_000)} }}`],
    ['signs without end', `{{ ${'-'.repeat(50_000)}1 }}`],
    ['blocks without end', '{% if true %}'.repeat(50_000)],
    ['a template of ten million characters', '{{ messages }}'.repeat(1_000_000)],
    ['a long template of nothing but openings', '{{'.repeat(MAX_TEMPLATE_CHARACTERS / 2)],
    ['a long template of quotes', `{{ ${"'".repeat(MAX_TEMPLATE_CHARACTERS - 10)} x }}`],
    ['a long number', `{{ ${'9'.repeat(50_000)} }}`],
    ['a slow expression', '{{ ("a" * 100000 ~ "!").split("a") | join("") | wordwrap(1) | length }}{{ "a" * 10**9 }}'],
    ['the constructor of a value', '{{ messages.constructor.constructor("return process")() }}'],
    ['the prototype of a value', '{{ messages.__proto__.x }}'],
    ['the class of a value', "{{ ''.__class__.__mro__[1].__subclasses__() }}"],
    ['the globals of a function', '{{ range.__globals__["os"] }}{{ range.__globals__.x }}'],
    ['the class of a value in a format', "{{ '{0.__class__.__mro__}'.format(1) }}"],
    ['a class by the filter attr', "{{ (1 | attr('__class__')).x }}"],
    ['a list that is changed', '{{ messages.append(1) }}'],
    ['a dict that is changed', '{{ messages[0].update({}) }}'],
  ])('ends with a code: %s', (_, template) => {
    const startMs = performance.now()
    expect(codeOf(() => render(template))).toMatch(/^template\//)
    // Alone it is below two seconds; on a busy machine there is room.
    expect(performance.now() - startMs).toBeLessThan(6000)
  })

  it.each([
    ['blanks', `a${' '.repeat(200_000)}b`],
    ['tags without content', '{% if true %}{% endif %}'.repeat(1000)],
    ['comments', '{# a #}'.repeat(10_000)],
    ['one long text', 'x'.repeat(MAX_TEMPLATE_CHARACTERS)],
    ['lines of blanks before tags', `${' '.repeat(500)}\n`.repeat(500) + '{% if true %}{% endif %}'],
  ])('is compiled and rendered in time that grows with its length: %s', (_, template) => {
    const startMs = performance.now()
    expect(codeOf(() => render(template))).toBe('nothing was thrown')
    expect(performance.now() - startMs).toBeLessThan(3000)
  })

  it('names no property of JavaScript', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf', 'prototype']) {
      for (const object of ['messages', 'messages[0]', '""', '1', 'range', 'dict', 'namespace()', 'none', 'loop', 'true', '1.5']) {
        expect(render(`{% for x in [1] %}{{ ${object}.${name} is defined }}{% endfor %}`), `${object}.${name}`).toBe('False')
      }
    }
  })
})
