import { expect, test } from '@jest/globals'
import { inWords } from '../../src/core/thrown.ts'

test.each<[unknown, string]>([
  [new Error('two is too many'), 'two is too many'],
  [
    Object.assign(new Error('ENOENT: …'), { code: 'ENOENT', syscall: 'open', path: 'a' }),
    'a: there is no such file or folder',
  ],
  [
    Object.assign(new Error('ETXTBSY: …'), { code: 'ETXTBSY', syscall: 'open', path: 'a' }),
    'a: it cannot be used (ETXTBSY)',
  ],
  // As Node says it of all addresses of a name together.
  [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
  [{ message: { of: 'no text' } }, '[object Object]'],
])('%p is thrown: it is said in one line for people', (error, words) => {
  expect(inWords(error)).toBe(words)
})
