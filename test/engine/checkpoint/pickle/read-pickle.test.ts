import { describe, expect, it } from 'vitest'
import { readPickle, refusePersistentIds } from '../../../../engine/checkpoint/pickle/read-pickle'
import type { PickleValue } from '../../../../engine/checkpoint/pickle/values'
import { engineCode } from '../../../support/engine-code'

function load(text: string): PickleValue {
  return readPickle(Uint8Array.from(Buffer.from(text, 'latin1')), { path: 'test.pkl', persistentLoad: refusePersistentIds('test.pkl') })
    .value
}

/** The code that a pickle is refused with. Text is Latin-1, one character a byte. */
const refusal = (text: string): Promise<string> => engineCode(() => load(text))

describe('plain values', () => {
  it.each([
    ['None', 'N.', null],
    ['true of protocol 2', '\x80\x02\x88.', true],
    ['false of protocol 1', 'I00\n.', false],
    ['true of protocol 1', 'I01\n.', true],
    ['a decimal', 'I-12\n.', -12],
    ['a long of protocol 0', 'L12345678901234567890L\n.', 12345678901234567890n],
    ['a signed byte count', 'J\xff\xff\xff\xff.', -1],
    ['a short', 'M\x01\x02.', 513],
    ['a long of no bytes', '\x8a\x00.', 0],
    ['a negative long', '\x8a\x02\x00\x80.', -32768],
    ['a long of four length bytes', '\x8b\x01\x00\x00\x00\x7f.', 127],
    ['a float', 'G\x3f\xf8\x00\x00\x00\x00\x00\x00.', 1.5],
    ['a float of protocol 0', 'F1e3\n.', 1000],
    ['infinity', 'F-inf\n.', -Infinity],
    ['a quoted text', "S'it\\'s \\x41\\n'\n.", "it's A\n"],
    ['an escaped text', 'V\\u4e2d\n.', '中'],
    ['a text', 'X\x02\x00\x00\x00\xc3\xa9.', 'é'],
    ['a short text', '\x8c\x01a.', 'a'],
    ["Python 2's text", 'U\x01a.', 'a'],
  ])('reads %s', (_, text, value) => {
    expect(load(text)).toEqual(value)
  })

  it('keeps bytes that are no text as bytes', () => {
    expect(load('U\x02\xff\xfe.')).toEqual(Uint8Array.of(0xff, 0xfe))
    expect(load('C\x01a.')).toEqual(Uint8Array.of(0x61))
  })
})

describe('containers', () => {
  it('fills lists, dicts, sets and tuples in every way', () => {
    const list = (...items: PickleValue[]) => ({ kind: 'list', items })
    expect(load('(I1\nI2\nl.')).toEqual(list(1, 2))
    expect(load(']I1\na.')).toEqual(list(1))
    expect(load('](K\x01K\x02e.')).toEqual(list(1, 2))
    expect(load('(K\x01K\x02t.')).toEqual({ kind: 'tuple', items: [1, 2] })
    expect(load('K\x01K\x02\x86.')).toEqual({ kind: 'tuple', items: [1, 2] })
    expect(load('}U\x01aK\x01s.')).toEqual({ kind: 'dict', entries: new Map([['a', 1]]) })
    expect(load('(U\x01aK\x01d.')).toEqual({ kind: 'dict', entries: new Map([['a', 1]]) })
    expect(load('\x8f(K\x01\x90.')).toEqual({ kind: 'set', items: [1] })
    expect(load('(K\x01\x91.')).toEqual({ kind: 'set', items: [1] })
  })

  it('remembers values by number and in order', () => {
    expect(load('U\x01aq\x05h\x05\x86.')).toEqual({ kind: 'tuple', items: ['a', 'a'] })
    expect(load('U\x01a\x94U\x01b\x94h\x00h\x01\x87.')).toEqual({ kind: 'tuple', items: ['b', 'a', 'b'] })
  })

  it("reads Python 2's ordered dict of pairs", () => {
    expect(load('ccollections\nOrderedDict\n](](U\x01aK\x01ee\x85R.')).toEqual({ kind: 'dict', entries: new Map([['a', 1]]) })
  })
})

describe('objects', () => {
  it('keeps an object of an unknown class as a record', () => {
    const value = load('cargparse\nNamespace\n)\x81}U\x02lrK\x01sb.')
    expect(value).toMatchObject({ kind: 'record', class: { module: 'argparse', name: 'Namespace' } })
  })

  it('keeps a NumPy array of protocol 5 as a record', () => {
    const value = load(
      '\x8c\x13numpy._core.numeric\x8c\x0b_frombuffer\x93(\x96\x01\x00\x00\x00\x00\x00\x00\x00\x07U\x02u1K\x01\x85U\x01CtR.',
    )
    expect(value).toMatchObject({ kind: 'record', class: { module: 'numpy._core.numeric', name: '_frombuffer' } })
  })

  it.each([
    ['a call of REDUCE', 'cos\nsystem\n(U\x02idtR.', 'checkpoint/pickle-runs-command'],
    ['a call by STACK_GLOBAL', '\x8c\x08builtins\x8c\x04eval\x93U\x011\x85R.', 'checkpoint/pickle-runs-code'],
    ['a program of Python 2', 'ccommands\ngetoutput\nU\x02id\x85R.', 'checkpoint/pickle-runs-command'],
    ['a program through a submodule', 'cmultiprocessing.pool\nPool\n)R.', 'checkpoint/pickle-runs-command'],
    ['code of an extension', 'ctorch.utils.cpp_extension\nload\nU\x01a\x85R.', 'checkpoint/pickle-runs-code'],
    ['an attribute of an object', 'cbuiltins\ngetattr\n(ctorch\nos\nU\x06systemtR.', 'checkpoint/pickle-reaches-inside'],
    ['a method by its name', 'coperator\nmethodcaller\nU\x01a\x85R.', 'checkpoint/pickle-reaches-inside'],
    ['a file', 'cio\nopen\nU\x01a\x85R.', 'checkpoint/pickle-opens-files'],
    ['a connection', 'curllib.request\nurlopen\nU\x01a\x85R.', 'checkpoint/pickle-runs-network'],
    ['a call of a torch function', 'ctorch\nload\nU\x01a\x85R.', 'checkpoint/pickle-call-refused'],
    ['a name that only begins like an allowed one', 'ctorch._utils\n_rebuild_tensor_v2.__globals__\n)R.', 'checkpoint/pickle-call-refused'],
    ['a name that is on every JavaScript object', 'ca\nconstructor\n)R.', 'checkpoint/pickle-call-refused'],
    [
      'a rebuild function that names another',
      'ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN)NtR.',
      'checkpoint/pickle-runs-command',
    ],
    ['an object of INST', '(U\x02idios\nsystem\n.', 'checkpoint/pickle-instance-refused'],
    ['an object of OBJ', '(cos\nsystem\nU\x02ido.', 'checkpoint/pickle-instance-refused'],
    ['an object of NEWOBJ', 'csubprocess\nPopen\n)\x81.', 'checkpoint/pickle-instance-refused'],
    ['an object of NEWOBJ_EX', 'csubprocess\nPopen\n)}\x92.', 'checkpoint/pickle-instance-refused'],
    ['a state with __class__', 'ccollections\nOrderedDict\n)R}U\x09__class__cos\nsystem\nsb.', 'checkpoint/pickle-build-refused'],
    ['a state with __reduce__ in slots', 'ca\nB\n)\x81N}U\x0a__reduce__K\x01s\x86b.', 'checkpoint/pickle-build-refused'],
    ['a state of a list', ']}b.', 'checkpoint/pickle-build-refused'],
    ['a key of a list', ']K\x01K\x01s.', 'checkpoint/pickle-build-refused'],
    ['a dangerous name that nothing uses', '}U\x01acos\nsystem\ns.', 'checkpoint/pickle-global-refused'],
    ["Python 2's spelling of a dangerous name", 'c__builtin__\neval\n.', 'checkpoint/pickle-global-refused'],
    ['an extension', '\x82\x01.', 'checkpoint/pickle-extension-refused'],
    ['a persistent id', 'U\x01aQ.', 'checkpoint/pickle-persistent-id'],
    ['a persistent id of protocol 0', 'Pa\n.', 'checkpoint/pickle-persistent-id'],
    ['a buffer of another process', '\x97.', 'checkpoint/pickle-malformed'],
  ])('refuses %s', async (_, text, code) => {
    expect(await refusal(text)).toBe(code)
  })
})

describe('damage', () => {
  it.each([
    ['an empty pickle', '', 'checkpoint/pickle-truncated'],
    ['a pickle without STOP', 'N', 'checkpoint/pickle-truncated'],
    ['a text longer than the pickle', 'X\xff\xff\xff\x7fa.', 'checkpoint/pickle-limit'],
    ['a text of 2^63 bytes', '\x8d\0\0\0\0\0\0\0\x80a.', 'checkpoint/pickle-truncated'],
    ['a long of a gigabyte', '\x8b\0\0\0\x40.', 'checkpoint/pickle-limit'],
    ['a line without end', 'I12', 'checkpoint/pickle-truncated'],
    ['STOP on an empty stack', '.', 'checkpoint/pickle-malformed'],
    ['a value taken from below a mark', 'K\x01(0.', 'checkpoint/pickle-malformed'],
    ['a group without a beginning', 'K\x01t.', 'checkpoint/pickle-malformed'],
    ['a key without a value', '}(K\x01u.', 'checkpoint/pickle-malformed'],
    ['a value that was never remembered', 'h\x01.', 'checkpoint/pickle-malformed'],
    ['arguments that are no tuple', 'ccollections\nOrderedDict\nNR.', 'checkpoint/pickle-malformed'],
    ['an unknown instruction', '\xff.', 'checkpoint/pickle-malformed'],
    ['protocol 6', '\x80\x06.', 'checkpoint/pickle-malformed'],
    ['a number of letters', 'Iabc\n.', 'checkpoint/pickle-malformed'],
    ['marks in marks', '('.repeat(2000), 'checkpoint/pickle-too-deep'],
    ['a stack without end', 'N'.repeat(1_000_001), 'checkpoint/pickle-limit'],
    ['containers without end', '}0'.repeat(2_000_001), 'checkpoint/pickle-limit'],
  ])('refuses %s', async (_, text, code) => {
    expect(await refusal(text)).toBe(code)
  })
})
