// What the controller writes into the status of an AuthTeam.
import * as z from 'zod'

const condition = z.strictObject({
  type: z.string().max(316).describe('Ready, ProxyAvailable or Conflicting.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
  observedGeneration: z.int().min(0).meta({ format: 'int64' }).optional().describe('The generation that was judged.'),
  lastTransitionTime: z.iso.datetime({ offset: true }).describe('When the status last became another.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Why, in one word for programs.'),
  message: z.string().max(32768).describe('Why, for people.'),
})

const count = () => z.int().min(0).meta({ format: 'int64' }).default(0)

const routes = z.strictObject({
  ingress: count().describe('Ingresses that this team protects.'),
  httpRoute: count().describe('HTTPRoutes that this team protects.'),
})

export type AuthTeamStatus = z.output<typeof authTeamStatus>
export const authTeamStatus = z.strictObject({
  conditions: z
    .array(condition)
    .max(16)
    .default([])
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      'Ready: the team can protect routes. ProxyAvailable: its Service is there. Conflicting: another team is in the way.',
    ),
  routes: routes.optional().describe('How many routes the team protects.'),
})
