// From a community to its survey's results, by a client that was generated from the description: URL and token.
import createClient from "openapi-fetch";
import type { components, paths } from "./described.js";

declare const process: { argv: string[] };
const [url = "", token = ""] = process.argv.slice(2);
const call = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });
const anyone = createClient<paths>({ baseUrl: url });

// Events take a moment from one service to the next; until then a request is refused, and may be sent again.
async function made<T>(what: string, ask: () => Promise<{ data?: T; response: Response }>): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const { data, response } = await ask();
    if (response.ok) return data as T;
    if (Date.now() > end) throw new Error(`${what}: ${response.status}`);
    await new Promise((again) => setTimeout(again, 50));
  }
}

const timezone = "America/Toronto";
const community_id = crypto.randomUUID();
const members = Array.from({ length: 6 }, () => crypto.randomUUID());
const meeting_id = crypto.randomUUID();

const community = await made("community", () =>
  call.PUT("/v1/communities/{community_id}", {
    params: { path: { community_id } },
    body: { name: "Cercle", purpose: "Apprendre.", kind: "individuals", locale: "fr", timezone },
  }),
);
const version: number = community.version;
for (const [number, member_id] of members.entries()) {
  const email = `ts${number}.${member_id}@example.org`;
  await made("member", () =>
    call.PUT("/v1/members/{member_id}", {
      params: { path: { member_id } },
      body: { name: `Personne ${number}`, email, locale: "fr", timezone },
    }),
  );
  await made("membership", () =>
    call.PUT("/v1/communities/{community_id}/memberships/{member_id}", {
      params: { path: { community_id, member_id } },
      body: { capacity: "individual" },
    }),
  );
}
const starts = Date.now() - 1_800_000;
const planned: components["schemas"]["MeetingBody"] = {
  community_ids: [community_id],
  kind: "meeting",
  mode: "online",
  starts_at: new Date(starts).toISOString(),
  ends_at: new Date(starts + 3_600_000).toISOString(),
  timezone,
};
const path = { params: { path: { meeting_id } } };
await made("schedule", () => call.PUT("/v1/meetings/{meeting_id}", { ...path, body: planned }));
await made("start", () => call.POST("/v1/meetings/{meeting_id}/start", path));
const entries = members.map((member_id) => ({ member_id, state: "attended" as const }));
await made("attendance", () => call.PUT("/v1/meetings/{meeting_id}/attendance", { ...path, body: { entries } }));
await made("wrap-up", () => call.POST("/v1/meetings/{meeting_id}/wrap-up", path));
const survey = await made("survey", () => call.GET("/v1/meetings/{meeting_id}/survey", path));
const room_code = survey.room_code;
if (room_code === null) throw new Error("no code for the room");
const room = await made("room", () => anyone.GET("/v1/rooms/{room_code}", { params: { path: { room_code } } }));
for (const { member_id } of room.attending) {
  const ballot = await made("ballot", () => anyone.POST("/v1/ballots", { body: { room_code, member_id, locale: "en" } }));
  const answers = ballot.questions.flatMap((question) =>
    question.options.length ? [{ question: question.key, value: question.options.at(-1)!.value }] : [],
  );
  await made("answers", () => anyone.POST("/v1/answers", { body: { ballot_id: ballot.ballot_id, answers } }));
}
const closed = await made("close", () => call.POST("/v1/meetings/{meeting_id}/close", path));
const state: "closed" | "scheduled" | "in_progress" | "wrap_up" | "cancelled" = closed.state;
const results = await made("results", () =>
  call.GET("/v1/surveys/{survey_id}/results", { params: { path: { survey_id: survey.id } } }),
);
const { error } = await call.GET("/v1/meetings/{meeting_id}", { params: { path: { meeting_id: crypto.randomUUID() } } });
console.log(JSON.stringify({ version, state, there: room.attending.length, results: results.state, problem: error?.title }));
