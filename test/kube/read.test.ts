// What versions tell, and what all that is remembered of many objects costs.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { FACT_KINDS } from '../../src/facts/store.ts'
import { FACT_PATHS } from '../../src/kube/kinds.ts'
import { Known } from '../../src/kube/known.ts'
import { compareVersions } from '../../src/kube/read.ts'

test.each([
  ['10', '9', 'later'],
  ['9', '10', 'earlier'],
  ['10', '10', 'same'],
  ['18446744073709551617', '18446744073709551616', 'later'],
  ['9007199254740992', '9007199254740993', 'earlier'],
  ['abc', 'abc', 'same'],
  ['abc', 'abd', undefined],
  ['10', '', undefined],
  ['010', '9', undefined],
] as const)('version %s seen from %s is %s', (version, to, place) => {
  expect(compareVersions(version, to)).toBe(place)
})

test('what is remembered of 12,000 objects is less than 3 MB', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const known = new Known(
    () => {},
    () => {},
  )
  const objectText = (i: number) =>
    JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        namespace: `team-${i % 500}-of-many`,
        name: `application-number-${i}`,
        resourceVersion: `${1e9 + i}`,
      },
      spec: { rules: [{ host: `application-${i}.example.com` }] },
    })
  known.put(JSON.parse(objectText(0)))
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 1; i <= 12_000; i++) known.put(JSON.parse(objectText(i)))
  collect()
  const used = process.memoryUsage().heapUsed - before
  process.stdout.write(`12,000 objects known in ${(used / 1e6).toFixed(2)} MB\n`)
  expect(known.size).toBe(12_001)
  expect(used).toBeLessThan(3e6)
})

test('every kind that is a fact is watched, and no other', () => {
  const groups = Object.entries(FACT_PATHS).map(([kind, path]) => [kind, /^\/apis\/([^/]+)\//.exec(path)?.[1] ?? ''])
  expect(groups.sort()).toEqual([...FACT_KINDS].sort())
})
