"""The frame of the interface for programs: who calls, how often, and how a refusal reads. The rooms' ``api`` modules fill it."""
