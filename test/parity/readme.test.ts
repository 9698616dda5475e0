// README.md says what the code says: its table of reasons, and its object before and after.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { REASONS } from '../../src/core/reasons.ts'
import { blockIn, readmeBlocks, reasonTable, withBlock } from './readme.ts'
import { ROOT } from './sources.ts'

const FILE = join(ROOT, 'README.md')

/** With UPDATE_GOLDEN=1 the block is rewritten, and the test fails all the same: the difference is to be read. */
test.each([...readmeBlocks()])('README.md shows the block %s as it is made', (name, block) => {
  const readme = readFileSync(FILE, 'utf8')
  const shown = blockIn(readme, name)
  if (process.env.UPDATE_GOLDEN === '1' && shown !== block) writeFileSync(FILE, withBlock(readme, name, block))
  expect(shown).toBe(block)
})

test('the table of reasons has a row for every code', () => {
  const rows = reasonTable().trimEnd().split('\n').slice(2)
  expect(rows.map(row => /^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$/.exec(row)?.[1])).toEqual(Object.keys(REASONS))
})
