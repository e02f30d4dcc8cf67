"""TaskEngine's pages: Streamlit over the GraphQL API, and nothing else."""
