// What the configuration says about certificates, for the webhook and the controller.
import type { Config } from '../api/config.ts'
import { SERVICE } from '../certificates/overlay.ts'
import { ROTATION_TIMES, type RotationTimes } from '../certificates/rotation.ts'

export function rotationTimes({ certificates }: Config): RotationTimes {
  const { authoritySeconds, leafSeconds, overlapSeconds } = certificates
  const { authorityMs, leafMs, overlapMs } = ROTATION_TIMES
  return {
    authorityMs: ms(authoritySeconds) ?? authorityMs,
    leafMs: ms(leafSeconds) ?? leafMs,
    overlapMs: ms(overlapSeconds) ?? overlapMs,
  }
}

/** By which the API server, and who is in the cluster, know the webhook. */
export function servingNames({ namespace, clusterDomain }: Config): string[] {
  const name = `${SERVICE}.${namespace}.svc`
  return [name, `${name}.${clusterDomain}`]
}

function ms(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}
