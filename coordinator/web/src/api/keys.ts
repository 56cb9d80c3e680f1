// Owns the names under which answers are cached, so that the event stream can mark them old.

export const keys = {
  setup: ["setup"] as const,
  me: ["me"] as const,
  projects: ["projects"] as const,
  project: (id: string) => ["project", id] as const,
  analyses: (project: string) => ["analyses", project] as const,
  analysis: (id: string) => ["analysis", id] as const,
  services: (project: string) => ["services", project] as const,
  releases: (service: string) => ["releases", service] as const,
  plans: (project: string) => ["plans", project] as const,
  provisioning: (plan: string) => ["provisioning", plan] as const,
  runs: (project: string) => ["runs", project] as const,
  run: (id: string) => ["run", id] as const,
  servers: ["servers"] as const,
  server: (id: string) => ["server", id] as const,
  chats: (project: string) => ["chats", project] as const,
  messages: (chat: string) => ["messages", chat] as const,
  approvals: ["approvals"] as const,
  tokens: ["tokens"] as const,
  members: (team: string) => ["members", team] as const,
  audit: ["audit"] as const,
};
