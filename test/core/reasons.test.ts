import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { REASONS, type ReasonCode, reason, sentence } from '../../src/core/reasons.ts'
import { expectLine } from '../admission/reviews.ts'
import { anyCharacter } from '../property/arbitrary.ts'

const codes = Object.keys(REASONS) as ReasonCode[]

/** Every parameter of the code's sentence but the snippet, set to one text. */
function filled(code: ReasonCode, text: string): Record<string, string> {
  const { says, todo } = REASONS[code]
  const names = [...`${says}${todo}`.matchAll(/\{(\w+)\}/g)].map(match => match[1]!)
  return Object.fromEntries(names.filter(name => name !== 'snippet').map(name => [name, text]))
}

describe.each(codes)('%s', code => {
  const longest = 'w'.repeat(253)

  test('is one line of at most 256 characters that says what to do, with the longest names', () => {
    const text = sentence(reason(code, filled(code, longest), `metadata.annotations[${longest}]`))
    expectLine(text)
    expect(text.length).toBeLessThanOrEqual(256)
    expect(text.endsWith(`[${code}]`)).toBe(true)
  })

  test('leaves no placeholder open', () => {
    expect(sentence(reason(code, filled(code, 'x')))).not.toMatch(/[{}]/)
  })
})

test('whatever text of users is in it, a sentence is printable', () => {
  const text = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 80 }),
    fc.string({
      unit: fc.constantFrom('\n', '\r', '\u0085', '\u2028', '\u202e', '\u200b', '\ud800', '\0', 'é', '漢', '😀'),
    }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...codes), text, text, (code, param, field) => {
      expectLine(sentence(reason(code, filled(code, param), `x${field}`)))
    }),
    { numRuns: 300 },
  )
})

test('text of users is not read as a pattern or a placeholder', () => {
  const text = sentence(reason('team-unknown', { team: '$& {teams} $1', teams: 'team-a' }))
  expect(text).toBe('there is no team $& {teams} $1; write "true", or one of: team-a [team-unknown]')
})

test('a snippet is never cut, because it is there to be pasted', () => {
  const snippet = JSON.stringify({ a: 'x'.repeat(500) })
  expect(sentence(reason('gateway-open', { gateway: 'g', snippet }))).toContain(snippet)
})

test('a sentence is cut between characters', () => {
  for (const start of ['', 'a'])
    expectLine(sentence(reason('team-unknown', { team: start + '😀'.repeat(200), teams: '' })))
})

test('letters of other scripts stay', () => {
  expect(sentence(reason('team-unknown', { team: 'équipe-漢字', teams: '' }))).toContain('équipe-漢字')
})
