import { describe, expect, test } from '@jest/globals'
import prom from 'prom-client'
import { admit } from '../../src/admission/admit.ts'
import { defaultConfig } from '../../src/api/config.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import type { Admit } from '../../src/http/admission.ts'
import { counter, createMetrics, gauge, type Metrics } from '../../src/http/metrics.ts'
import { review, startServer } from './serving.ts'

const log = { info() {}, warn() {}, error() {} }

async function samples({ registry }: Metrics, name: string): Promise<string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter(line => line.startsWith(name))
}

function counting(metrics: Metrics, facts = new FactStore(defaultConfig())): Admit {
  return (entry, body) => admit(entry, body, { facts, gateways, log, now: Date.now, decided: metrics.decided })
}

describe('metrics of admission', () => {
  test('count each decision by entry, outcome and code, and how long it took', async () => {
    const metrics = createMetrics()
    const server = await startServer({ admit: counting(metrics), served: metrics.served })
    for (const path of ['/mutate', '/validate', '/validate']) await server.call({ path, body: review('a') })
    expect(await samples(metrics, 'portcullis_admissions_total')).toEqual([
      'portcullis_admissions_total{entry="mutate",outcome="skip",code="not-labelled"} 1',
      'portcullis_admissions_total{entry="validate",outcome="skip",code="not-labelled"} 2',
    ])
    const durations = await samples(metrics, 'portcullis_admission_duration_seconds')
    expect(durations).toContain('portcullis_admission_duration_seconds_count{entry="mutate"} 1')
    expect(durations).toContain('portcullis_admission_duration_seconds_count{entry="validate"} 2')
    expect(durations).toContain('portcullis_admission_duration_seconds_bucket{le="10",entry="validate"} 2')
    await server.drain({ delayMs: 0, graceMs: 0 })
  })

  test('count what is not decided by what was wrong with it', async () => {
    const metrics = createMetrics()
    const server = await startServer({ admit: counting(metrics), served: metrics.served })
    metrics.tellInFlight(server.inFlight)
    await server.call({ path: '/mutate', method: 'GET' })
    await server.call({ path: '/mutate', body: '' })
    await server.call({ path: '/mutate', body: '['.repeat(100) })
    await server.call({ path: '/mutate', body: 'no JSON' })
    await server.call({ path: '/validate', body: '{}', headers: { 'Content-Type': 'text/plain' } })
    await server.call({ path: '/validate', body: Array(8).fill(' '.repeat(1024 * 1024)) })
    expect((await samples(metrics, 'portcullis_refused_requests_total')).sort()).toEqual([
      'portcullis_refused_requests_total{entry="mutate",why="depth"} 1',
      'portcullis_refused_requests_total{entry="mutate",why="empty"} 1',
      'portcullis_refused_requests_total{entry="mutate",why="method"} 1',
      'portcullis_refused_requests_total{entry="validate",why="body-size"} 1',
      'portcullis_refused_requests_total{entry="validate",why="content-type"} 1',
    ])
    expect(await samples(metrics, 'portcullis_admissions_total')).toEqual([
      'portcullis_admissions_total{entry="mutate",outcome="unreadable",code=""} 1',
    ])
    expect(await samples(metrics, 'portcullis_in_flight_requests ')).toEqual(['portcullis_in_flight_requests 0'])
    expect(await samples(metrics, 'portcullis_in_flight_bytes ')).toEqual(['portcullis_in_flight_bytes 0'])
    await server.drain({ delayMs: 0, graceMs: 0 })
  })

  test('count a fault of ours as one', async () => {
    const metrics = createMetrics()
    const broken = new Proxy(new FactStore(defaultConfig()), {
      get() {
        throw new Error('broken')
      },
    })
    const labelled = review('a').replace('"name":"shop"', '"name":"shop","labels":{"auth.example/protect":"true"}')
    counting(metrics, broken)('validate', Buffer.from(labelled))
    expect(await samples(metrics, 'portcullis_admissions_total')).toEqual([
      'portcullis_admissions_total{entry="validate",outcome="fault",code="fault"} 1',
    ])
  })

  test('say nothing that a user wrote', async () => {
    const metrics = createMetrics()
    const admitted = counting(metrics)
    const hostile = review('uid-1').replaceAll('shop', 'hostile-name').replace('"CREATE"', '"HOSTILE"')
    for (const entry of ['mutate', 'validate'] as const) admitted(entry, Buffer.from(hostile))
    expect(await metrics.registry.metrics()).not.toMatch(/hostile|HOSTILE|uid-1/)
  })

  test('tell the delay of the event loop', async () => {
    expect(await samples(createMetrics(), 'nodejs_eventloop_lag_p99_seconds ')).toHaveLength(1)
  })
})

describe('metrics that are read when somebody asks', () => {
  test('show what there is then, and no more what is gone', async () => {
    const registry = new prom.Registry()
    const values = new Map([
      ['a', 1],
      ['b', 2],
    ])
    const read = () => [...values].map(([kind, value]) => [{ kind }, value] as const)
    gauge(registry, 'one', 'One.', () => values.size)
    gauge(registry, 'each', 'Each.', read, ['kind'])
    counter(registry, 'counted', 'Counted.', ['kind'], read)
    const told = counter(registry, 'told', 'Told.')
    const shown = async () =>
      (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
    const both = ['each{kind="a"} 1', 'each{kind="b"} 2', 'counted{kind="a"} 1', 'counted{kind="b"} 2']
    expect(await shown()).toEqual(['one 2', ...both, 'told 0'])
    values.delete('a')
    told.inc(3)
    expect(await shown()).toEqual(['one 1', 'each{kind="b"} 2', 'counted{kind="b"} 2', 'told 3'])
  })
})
