// Where parts are looked for, and what is said when one is missing.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { cacheFolder, locate, programAt } from './locate.ts'
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

  test('takes what the operating system brings from PATH, by its preferred name wherever that is', () => {
    const env = { PATH: `${join(root, 'first')}:${join(root, 'second')}` }
    const chrome = program(join(root, 'first', 'google-chrome'))
    expect(locate('chromium', env)).toBe(chrome)
    const chromium = program(join(root, 'second', 'chromium'))
    expect(locate('chromium', env)).toBe(chromium)
  })

  test('takes a gateway from the cache only: its release matters', () => {
    const env = { PORTCULLIS_PARTS: join(root, 'parts'), PATH: root }
    for (const name of ['envoy', 'traefik', 'oauth2-proxy', 'envoy-gateway'] as const) {
      program(join(root, name))
      expect(locate(name, env)).toBeUndefined()
      const cached = program(join(cacheFolder(name, env), name))
      expect(locate(name, env)).toBe(cached)
    }
  })

  test('has nothing to start when a part is missing, and says so', () => {
    expect(() => programAt('envoy', { PORTCULLIS_PARTS: root })).toThrow('envoy not on this machine; "npm run parts"')
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

  test('tells what is built from what the operating system brings', () => {
    expect(requireParts(['redis-server', 'egctl', 'chromium'], { PORTCULLIS_PARTS: root, PATH: root })).toEqual({
      available: false,
      reason:
        'egctl not on this machine; "npm run parts" builds what is missing; ' +
        'redis-server, chromium not on the PATH; Debian: apt-get install redis-server chromium',
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
