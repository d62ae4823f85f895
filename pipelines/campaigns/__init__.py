"""Campaigns in steps: whom a plan chose, what they did, and what that teaches the next one."""
