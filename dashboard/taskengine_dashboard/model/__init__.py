"""What several pages show, as plain data read from the API's answers. No Streamlit, no network."""
