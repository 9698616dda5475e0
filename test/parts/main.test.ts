// The command "npm run parts".
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { cacheFolder } from './locate.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-parts-'))
})

afterEach(() => rmSync(root, { recursive: true }))

const parts = (...names: string[]) => {
  const env = { PORTCULLIS_PARTS: root, PATH: root }
  return spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), ...names], { env, encoding: 'utf8' })
}

test('what the operating system lacks is named, and stops nothing', () => {
  const folder = cacheFolder('etcd', { PORTCULLIS_PARTS: root })
  mkdirSync(folder)
  writeFileSync(join(folder, 'etcd'), '')
  chmodSync(join(folder, 'etcd'), 0o755)
  const { status, stdout } = parts('chromium', 'etcd')
  expect(stdout.split('\n').map(line => line.replace(/\s+/g, ' '))).toEqual([
    'chromium chromium not on the PATH; Debian: apt-get install chromium',
    'etcd cached',
    '',
  ])
  expect(status).toBe(0)
})

test('what cannot be built is a failure', () => {
  const { status, stderr } = parts('etcd')
  expect(stderr).toContain('Go is not on the PATH')
  expect(status).toBe(1)
})

test('a name that no part has is a failure, with the names there are', () => {
  const { status, stderr } = parts('etc')
  expect(stderr).toMatch(/^No such part: etc\. The parts are .*\betcd\b/)
  expect(status).toBe(1)
})
