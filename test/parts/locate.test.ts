// Where parts are looked for, and what is said when one is missing.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { build } from './build.ts'
import { cacheFolder, locate } from './locate.ts'
import { requireParts } from './require.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-locate-'))
})

afterEach(() => rmSync(root, { recursive: true }))

const program = (path: string): string => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '#!/bin/sh\nexit 3\n')
  chmodSync(path, 0o755)
  return path
}

describe('locate', () => {
  test('finds a program in the cache', () => {
    const env = { PORTCULLIS_PARTS: root }
    const path = program(join(cacheFolder('etcd', env), 'etcd'))
    expect(locate('etcd', env)).toBe(path)
  })

  test('keeps the cache below XDG_CACHE_HOME when PORTCULLIS_PARTS does not name a folder', () => {
    const folder = cacheFolder('etcd', { PORTCULLIS_PARTS: '', XDG_CACHE_HOME: root })
    expect(dirname(folder)).toBe(join(root, 'portcullis', 'parts'))
  })

  test('prefers what KUBEBUILDER_ASSETS holds to the cache', () => {
    const env = { PORTCULLIS_PARTS: root, KUBEBUILDER_ASSETS: join(root, 'assets') }
    program(join(cacheFolder('etcd', env), 'etcd'))
    const path = program(join(root, 'assets', 'etcd'))
    expect(locate('etcd', env)).toBe(path)
  })

  test('takes kubectl from PATH, and no other program', () => {
    const env = { PORTCULLIS_PARTS: join(root, 'parts'), PATH: `/nowhere:${root}` }
    program(join(root, 'etcd'))
    const path = program(join(root, 'kubectl'))
    expect(locate('kubectl', env)).toBe(path)
    expect(locate('etcd', env)).toBeUndefined()
  })

  test('does not take a file that cannot be run, or a folder, for a program', () => {
    const env = { PORTCULLIS_PARTS: join(root, 'parts'), KUBEBUILDER_ASSETS: root }
    writeFileSync(join(root, 'etcd'), '')
    mkdirSync(join(root, 'kube-apiserver'))
    expect(locate('etcd', env)).toBeUndefined()
    expect(locate('kube-apiserver', env)).toBeUndefined()
  })
})

describe('requireParts', () => {
  test('names the parts that are missing and the command that builds them', () => {
    const env = { PORTCULLIS_PARTS: root }
    program(join(cacheFolder('etcd', env), 'etcd'))
    expect(requireParts(['etcd', 'egctl', 'traefik-crds'], env)).toEqual({
      available: false,
      reason: 'egctl, traefik-crds not on this machine; "npm run parts" builds what is missing',
    })
  })

  test('is content when every part is there', () => {
    const env = { PORTCULLIS_PARTS: root }
    program(join(cacheFolder('etcd', env), 'etcd'))
    expect(requireParts(['etcd'], env)).toEqual({ available: true, reason: '' })
  })

  test('fails in CI when a part is missing', () => {
    expect(() => requireParts(['egctl'], { PORTCULLIS_PARTS: root, CI: 'true' })).toThrow('egctl not on this machine')
  })
})

describe('build', () => {
  test('says what to do when Go is missing, and leaves nothing behind that looks like a part', async () => {
    const env = { PORTCULLIS_PARTS: join(root, 'parts'), PATH: root }
    const outcome = await build('etcd', env)
    expect(outcome).toEqual({ kind: 'failed', reason: expect.stringMatching(/^Go is not on the PATH\..*KUBEBUILDER/) })
    expect(locate('etcd', env)).toBeUndefined()
  })

  test('gives the end of what Go said when a build fails', async () => {
    const go = program(join(root, 'go'))
    writeFileSync(go, '#!/bin/sh\necho "no space left" >&2\nexit 2\n')
    const outcome = await build('etcd', { PORTCULLIS_PARTS: join(root, 'parts'), PATH: `${root}:/bin` })
    expect(outcome).toEqual({ kind: 'failed', reason: 'go build ended with 2:\nno space left' })
  })

  test('refuses files whose checksum is not the pinned one', async () => {
    const go = program(join(root, 'go'))
    writeFileSync(go, `#!/bin/sh\necho '{"Dir": "${root}", "Sum": "h1:other"}'\n`)
    const env = { PORTCULLIS_PARTS: join(root, 'parts'), PATH: `${root}:/bin` }
    expect(await build('traefik-crds', env)).toEqual({ kind: 'failed', reason: expect.stringContaining('h1:other') })
    expect(locate('traefik-crds', env)).toBeUndefined()
  })

  test('builds once: afterwards the part is cached', async () => {
    const go = program(join(root, 'go'))
    const copy = 'while [ "$1" != -o ]; do shift; done; cp "$0" "$2"'
    writeFileSync(go, `#!/bin/sh\n${copy}\n`)
    const env = { PORTCULLIS_PARTS: join(root, 'parts'), PATH: `${root}:/bin:/usr/bin` }
    expect(await build('etcd', env)).toMatchObject({ kind: 'built' })
    expect(await build('etcd', env)).toEqual({ kind: 'cached', path: locate('etcd', env) })
  })
})
